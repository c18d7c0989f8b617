// SPDX-License-Identifier: GPL-3.0-or-later

//go:build tools

// Package programs keeps what the tests build among the requirements.
package programs

import _ "github.com/xjasonlyu/tun2socks/v2"
