// SPDX-License-Identifier: BSD-3-Clause

package doctor

// Withheld returns the line that gives this process the right to open raw
// sockets where no capability of the executable's can: in a container whose
// runtime withholds it. It is "" everywhere else.
func Withheld(executable string) string { return readRights(executable).withheld() }

func (f *rightsFacts) withheld() string {
	switch {
	case f.runtime == "" || f.held():
		return ""
	case !f.bounding:
		return f.runtime.grantNetRaw()
	case f.noNewPrivs && f.file:
		return f.runtime.allowNewPrivileges()
	}
	return ""
}
