// SPDX-License-Identifier: BSD-3-Clause

package probe

import "errors"

// OpError says which call failed and on what, in the manner of net.OpError.
type OpError struct {
	Op  string // "open raw socket", "find a route"
	On  string // destination, interface or source address; may be empty
	Err error
}

func (e *OpError) Error() string {
	if e.On == "" {
		return e.Op + ": " + e.Err.Error()
	}
	return e.Op + " " + e.On + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }

func opError(op, on string, err error) error {
	if err == nil {
		return nil
	}
	return &OpError{Op: op, On: on, Err: err}
}

// UnsupportedError is a feature that this system does not have.
type UnsupportedError struct {
	Feature string
	Need    string // what has it
}

func (e *UnsupportedError) Error() string { return e.Feature + " needs " + e.Need }

// Is reports that the error belongs to the family errors.ErrUnsupported.
func (e *UnsupportedError) Is(target error) bool { return target == errors.ErrUnsupported }
