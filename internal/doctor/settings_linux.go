// SPDX-License-Identifier: BSD-3-Clause

package doctor

import "os"

func readSettings(runtime containerRuntime) *settings {
	return &settings{known: true, root: os.DirFS("/"), runtime: runtime}
}
