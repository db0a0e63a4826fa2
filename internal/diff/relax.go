// SPDX-License-Identifier: BSD-3-Clause

package diff

// findRelax is where as-path relax that came or went is noted.
func (p *pair) findRelax() {}
