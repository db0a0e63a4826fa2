// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"errors"
	"fmt"
	"os"
)

// requireVariable set to "require" turns skips into failures.
const requireVariable = "TRACEFLOW_LAB"

// Main runs tests inside Enter, for use as
//
//	func TestMain(m *testing.M) { os.Exit(netlab.Main(m)) }
//
// Where namespaces are not permitted the tests run all the same, and those
// that call Require skip.
func Main(m interface{ Run() int }) int {
	inside, status, err := Enter()
	switch {
	case errors.Is(err, os.ErrPermission):
		return m.Run()
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	case !inside:
		return status
	}
	return m.Run()
}

// Skipper is the part of a test that skips need.
type Skipper interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Require skips the test, saying which right is missing, where networks cannot
// be built; with TRACEFLOW_LAB=require it fails it instead.
func Require(t Skipper) {
	t.Helper()
	RequireNil(t, tryNamespace())
}

// RequireNil skips the test with an error that says what it lacks; with
// TRACEFLOW_LAB=require it fails it instead.
func RequireNil(t Skipper, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if os.Getenv(requireVariable) == "require" {
		t.Fatalf("%s=require: %v", requireVariable, err)
	}
	t.Skipf("%v", err)
}
