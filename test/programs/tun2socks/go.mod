module nsproxy.test/tun2socks
go 1.24
require github.com/xjasonlyu/tun2socks/v2 v2.6.0
