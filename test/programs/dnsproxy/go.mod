module nsproxy.test/dnsproxy

go 1.24.2

require github.com/AdguardTeam/dnsproxy v0.75.5
