// SPDX-License-Identifier: BSD-3-Clause

package packet

import (
	"errors"
	"strconv"
)

// Every error of a decoder wraps one of these two.
var (
	// ErrTruncated says that the bytes end inside a header. More bytes of the
	// same packet might have been decoded.
	ErrTruncated = errors.New("truncated")
	// ErrMalformed says that a field has a value that it cannot have, or that
	// this package does not decode the kind of message.
	ErrMalformed = errors.New("malformed")
)

// DecodeError says where a decoder gave up. Decoders return pointers to
// shared values, so that a flood of broken packets costs no allocation: treat
// it as read-only.
type DecodeError struct {
	// Layer is the header in question, such as "IPv4" or "IPv6 extension
	// header". It does not tell a quoted header from an outer one.
	Layer string
	// Offset is the position of the offending field in bytes from the
	// beginning of the layer. For ErrTruncated it is 0 when not even the fixed
	// part of the header is there, and otherwise that of the field that
	// promises more than there is.
	Offset int
	// Err is ErrTruncated or ErrMalformed.
	Err error
}

// Error names the layer, the offset and the kind.
func (e *DecodeError) Error() string {
	return "packet: " + e.Layer + " at byte " + strconv.Itoa(e.Offset) + ": " + e.Err.Error()
}

// Unwrap returns ErrTruncated or ErrMalformed.
func (e *DecodeError) Unwrap() error { return e.Err }

// The names of the layers in errors.
const (
	layerIP        = "IP"
	layerIPv4      = "IPv4"
	layerIPv6      = "IPv6"
	layerExtension = "IPv6 extension header"
	layerUDP       = "UDP"
	layerTCP       = "TCP"
	layerICMP      = "ICMP"
	layerQuote     = "ICMP quote"
	layerTransport = "quoted transport header"
	layerQUIC      = "QUIC"
)

// All the errors there are. They are built once: see DecodeError.
var (
	errIPTruncated = &DecodeError{layerIP, 0, ErrTruncated}
	errIPVersion   = &DecodeError{layerIP, 0, ErrMalformed}

	errIPv4Truncated    = &DecodeError{layerIPv4, 0, ErrTruncated}
	errIPv4HeaderLength = &DecodeError{layerIPv4, 0, ErrMalformed}
	errIPv4Options      = &DecodeError{layerIPv4, 20, ErrTruncated}
	errIPv4Length       = &DecodeError{layerIPv4, 2, ErrMalformed}

	errIPv6Truncated   = &DecodeError{layerIPv6, 0, ErrTruncated}
	errIPv6Length      = &DecodeError{layerIPv6, 4, ErrMalformed}
	errIPv6Source      = &DecodeError{layerIPv6, 8, ErrMalformed}
	errIPv6Destination = &DecodeError{layerIPv6, 24, ErrMalformed}
	errIPv6Chain       = &DecodeError{layerIPv6, 6, ErrMalformed}

	errExtensionTruncated = &DecodeError{layerExtension, 0, ErrTruncated}
	errExtensionLength    = &DecodeError{layerExtension, 1, ErrTruncated}
	errExtensionOdd       = &DecodeError{layerExtension, 1, ErrMalformed}

	errUDPTruncated = &DecodeError{layerUDP, 0, ErrTruncated}
	errUDPLength    = &DecodeError{layerUDP, 4, ErrMalformed}

	errTCPTruncated  = &DecodeError{layerTCP, 0, ErrTruncated}
	errTCPDataOffset = &DecodeError{layerTCP, 12, ErrMalformed}
	errTCPOptions    = &DecodeError{layerTCP, 12, ErrTruncated}

	errICMPTruncated = &DecodeError{layerICMP, 0, ErrTruncated}
	errICMPType      = &DecodeError{layerICMP, 0, ErrMalformed}

	errQuoteFamily        = &DecodeError{layerQuote, 0, ErrMalformed}
	errQuoteFragment      = &DecodeError{layerQuote, 6, ErrMalformed}
	errTransportTruncated = &DecodeError{layerTransport, 0, ErrTruncated}

	errQUICTruncated    = &DecodeError{layerQUIC, 0, ErrTruncated}
	errQUICForm         = &DecodeError{layerQUIC, 0, ErrMalformed}
	errQUICVersion      = &DecodeError{layerQUIC, 1, ErrMalformed}
	errQUICConnectionID = &DecodeError{layerQUIC, 5, ErrTruncated} // of either
	errQUICVersions     = &DecodeError{layerQUIC, 7, ErrMalformed} // behind the connection IDs, wherever they end
	errQUICHalfVersion  = &DecodeError{layerQUIC, 7, ErrTruncated}
)
