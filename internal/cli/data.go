// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"traceflow/internal/enrich"
)

// dataFolder is the flag --data.
type dataFolder string

func (f *dataFolder) addFlag(c *cobra.Command) {
	c.Flags().SortFlags = false
	c.Flags().StringVar((*string)(f), "data", "", "`folder` of the data sets; also TRACEFLOW_DATA\n(default: see traceflow data --help)")
}

// toRead is the folder to read from, toWrite the one to write to: they differ for
// a user who reads what the administrator added.
func (f dataFolder) toRead() enrich.Folder {
	if f != "" {
		return enrich.Folder(f)
	}
	return enrich.DefaultFolder()
}

func (f dataFolder) toWrite() (enrich.Folder, error) {
	if f != "" {
		return enrich.Folder(f), nil
	}
	return enrich.WritableFolder()
}

const dataExamples = `  traceflow data add GeoLite2-City.mmdb      from MaxMind, IPinfo or DB-IP
  traceflow data add riswhoisdump.IPv4.gz riswhoisdump.IPv6.gz
  traceflow data add ix.json ixpfx.json netixlan.json net.json
  traceflow data add ours.csv                whose first line names its columns
  traceflow data                             which there are, and how old`

// dataSources is where each kind can be had. Nothing is ever downloaded.
const dataSources = `
Kinds of files, what they tell, who publishes them, and their licence:
  prefixes   your own table: anything              yours
  peeringdb  exchange points: PeeringDB's API,     acceptable use policy; not
             CAIDA's archive of it                 to be passed on
  riswhois   origins: RIPE NCC, RIS whois dump     RIPE NCC terms
  pfx2as     origins: CAIDA, Routeviews pfx2as     acceptable use agreement
  iptoasn    origins, countries: IPtoASN           public domain (PDDL)
  mmdb       ASes, places: MaxMind GeoLite         GeoLite EULA; keep current
             IPinfo Lite                           CC BY-SA 4.0
             DB-IP Lite                            CC BY 4.0
They are believed in this order. Those of MMDB files follow from their type.
`

func newData(env Env) *cobra.Command {
	c := &cobra.Command{
		Use:                   "data [COMMAND]",
		DisableFlagsInUseLine: true,
		Short:                 "Manage data sets of names, ASes and places",
		Long: `traceflow data manages the files that tell who announces an address, where it
is, and at which exchange point. They come from you: traceflow has none of its
own and downloads nothing, and no address leaves this host to be looked up. Each
is checked and compiled when it is added. Without a command it shows which there
are, as status does.

They lie in ~/.local/share/traceflow (%LocalAppData%\traceflow on Windows). What
root adds lies in /var/lib/traceflow, for root and all who have none themselves.`,
		Example:           dataExamples,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	o := &dataStatusOptions{}
	o.addFlags(c)
	commands := []*cobra.Command{newDataAdd(env), newDataRemove(env), newDataStatus(env), newDataVerify(env)}
	c.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			var names []string
			for _, sub := range commands {
				names = append(names, sub.Name())
			}
			return usagef("%q is none of %s", args[0], strings.Join(names, ", "))
		}
		return runDataStatus(env, o)
	}
	setUsage(c, func(c *cobra.Command) string { return usageWith("")(c) + dataSources })
	c.AddCommand(commands...)
	return c
}

// dataAddOptions are the flags of data add.
type dataAddOptions struct {
	folder     dataFolder
	kind, name string
	force      bool
}

func newDataAdd(env Env) *cobra.Command {
	o := &dataAddOptions{}
	c := &cobra.Command{
		Use:                   "add FILE...",
		DisableFlagsInUseLine: true,
		Short:                 "Check, compile and keep files",
		Long: `traceflow data add makes a data set out of each file, which may be compressed by
gzip; files of PeeringDB become one together. What kind a file is follows from
what is in it. A set of the same name is replaced, unless the new one has less
than 80 % of its rows.`,
		Example: dataExamples[:strings.LastIndexByte(dataExamples, '\n')],
		Args:    cobra.ArbitraryArgs,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault // files
		},
		RunE: func(_ *cobra.Command, args []string) error { return runDataAdd(env, o, args) },
	}
	setUsage(c, usageWith(dataExits))
	c.Flags().StringVar(&o.kind, "kind", "", "`kind` of the files: "+strings.Join(kindNames(), ", "))
	c.Flags().StringVar(&o.name, "name", "", "`name` of the set (default: after its kind or type)")
	c.Flags().BoolVar(&o.force, "force", false, "replace a set by one that is much smaller")
	o.folder.addFlag(c)
	return c
}

const dataExits = `  0 done, 1 refused or failed: nothing has changed, 2 usage, 4 not permitted`

// kindNames are the values of --kind.
func kindNames() []string {
	var names []string
	for _, k := range enrich.Kinds() {
		names = append(names, string(k))
	}
	return names
}

func runDataAdd(env Env, o *dataAddOptions, files []string) error {
	switch {
	case len(files) == 0:
		return usagef("data add takes the files to add")
	case o.kind != "" && !slices.Contains(kindNames(), o.kind):
		return usagef("--kind %q is none of %s", o.kind, strings.Join(kindNames(), ", "))
	case o.name != "" && !enrich.ValidName(o.name):
		return usagef("--name %q: letters and digits, with single . _ - between them", o.name)
	}
	folder, err := o.folder.toWrite()
	if err != nil {
		return err
	}
	added, err := folder.Add(enrich.Addition{Files: files, Kind: enrich.Kind(o.kind), Name: o.name, Force: o.force})
	if err != nil {
		return err
	}
	return writeSets(env, added)
}

func newDataRemove(env Env) *cobra.Command {
	var folder dataFolder
	c := &cobra.Command{
		Use:                   "remove NAME...",
		DisableFlagsInUseLine: true,
		Short:                 "Delete data sets",
		Long:                  `traceflow data remove deletes data sets by their names.`,
		Args:                  cobra.ArbitraryArgs,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return setNames(folder), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, names []string) error {
			if len(names) == 0 {
				return usagef("data remove takes the names of data sets")
			}
			f, err := folder.toWrite()
			if err != nil {
				return err
			}
			return f.Remove(names...)
		},
	}
	setUsage(c, usageWith(dataExits))
	folder.addFlag(c)
	return c
}

// setNames are those of the sets that there are, as far as known.
func setNames(folder dataFolder) []string {
	sets, err := folder.toRead().Sets()
	if err != nil {
		return nil
	}
	var names []string
	for i := range sets {
		names = append(names, sets[i].Name)
	}
	return names
}

func newDataVerify(env Env) *cobra.Command {
	var folder dataFolder
	c := &cobra.Command{
		Use:                   "verify",
		DisableFlagsInUseLine: true,
		Short:                 "Read everything and compare checksums",
		Long: `traceflow data verify reads every data set as a whole and compares its checksum
with that from when it was added.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("data verify takes no %q: it verifies all", args[0])
			}
			return runDataVerify(env, folder)
		},
	}
	setUsage(c, usageWith("  0 all are as they were added, 1 some are not, 2 usage"))
	folder.addFlag(c)
	return c
}

func runDataVerify(env Env, folder dataFolder) error {
	f := folder.toRead()
	sets, err := f.Sets()
	if err != nil {
		return err
	}
	if len(sets) == 0 {
		return noSets(env, f)
	}
	bad := false
	for i := range sets {
		verdict := "ok"
		if err := f.Verify(&sets[i]); err != nil {
			bad, verdict = true, "broken: "+printable(err.Error())
		}
		if _, err := fmt.Fprintf(env.Out, "%-*s  %s\n", nameWidth(sets), sets[i].Name, verdict); err != nil {
			return writeError(err)
		}
	}
	if bad {
		return codeError(exitInternal)
	}
	return nil
}

// noSets says where there are none.
func noSets(env Env, folder enrich.Folder) error {
	_, err := os.Stat(string(folder))
	why := "has none yet"
	if os.IsNotExist(err) {
		why = "is not there yet"
	}
	fmt.Fprintf(env.Err, "no data sets: %s %s (see traceflow data --help)\n", printable(string(folder)), why)
	return nil
}
