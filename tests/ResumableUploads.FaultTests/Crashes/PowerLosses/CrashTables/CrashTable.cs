using System.Globalization;
using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses.CrashTables;

/// <summary>One step of an operation, and what a status request reports after a crash that follows the step immediately.</summary>
/// <param name="Step">The change of the disk.</param>
/// <param name="Killed">The status after the process was killed: everything it wrote is in the page cache.</param>
/// <param name="PowerLost">The status after a power loss in which nothing reached the disk that was not synced.</param>
internal sealed record CrashTableRow(string Step, string Killed, string PowerLost);

/// <summary>Records the crash table of an operation, and reads the one in the documentation.</summary>
internal static class CrashTable
{
    private const string Header = "| # | Step | Killed | Power lost | Then |\n|---|---|---|---|---|\n";
    private const string HeadingPrefix = "### ";

    public static async Task<IReadOnlyList<CrashTableRow>> RecordAsync(CrashScenario scenario)
    {
        string root = Directory.CreateTempSubdirectory("ru-steps-").FullName;
        try
        {
            (IReadOnlyList<DiskOperation> log, int first) = await PlayAsync(scenario, root);
            var names = new DiskOperationFormatter(log);
            var rows = new List<CrashTableRow>();
            for (int prefix = 1; prefix <= log.Count; prefix++)
            {
                string step = names.Format(log[prefix - 1]);
                if (prefix > first)
                {
                    var lost = new PendingOperations(log, prefix).Indices.ToDictionary(static index => index, static _ => Fate.Lost);
                    rows.Add(new CrashTableRow(
                        step,
                        await GetStatusAsync(new CrashImage(log, prefix, new Dictionary<int, Fate>()), root, scenario.BootId),
                        await GetStatusAsync(new CrashImage(log, prefix, lost), root, CrashScenarios.LaterBootId)));
                }
            }

            return rows;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>The names of all tables of a page, in order.</summary>
    public static IEnumerable<string> GetNames(string page) =>
        page.Split('\n').Where(static line => line.StartsWith(HeadingPrefix, StringComparison.Ordinal)).Select(static line => line[HeadingPrefix.Length..])
            .Where(name => Parse(page, name).Count > 0);

    public static IReadOnlyList<CrashTableRow> Parse(string page, string name) =>
    [
        .. page.Split('\n')
            .SkipWhile(line => line != HeadingPrefix + name)
            .Skip(1)
            .TakeWhile(static line => !line.StartsWith('#'))
            .Select(static line => line.Split('|', StringSplitOptions.TrimEntries))
            .Where(static cells => cells.Length == 7 && int.TryParse(cells[1], NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Select(static cells => new CrashTableRow(cells[2], cells[3], cells[4])),
    ];

    public static string Render(IReadOnlyList<CrashTableRow> rows)
    {
        var text = new StringBuilder(Header);
        for (int i = 0; i < rows.Count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {i + 1} | {rows[i].Step} | {rows[i].Killed} | {rows[i].PowerLost} | |\n");
        }

        return text.ToString();
    }

    /// <summary>Returns the log and the number of its entries that were made before the operation.</summary>
    private static async Task<(IReadOnlyList<DiskOperation> Log, int First)> PlayAsync(CrashScenario scenario, string root)
    {
        string directory = Directory.CreateDirectory(Path.Combine(root, "first")).FullName;
        RecordingFileLayer files = scenario.CreateLayer(directory, CrashScenarios.FirstBootId);
        FileSystemUploadStore store = CrashScenarios.CreateStore(directory, files);
        await store.CheckAsync(default);
        await scenario.Prepare(store);
        if (scenario.Interrupt is { } interrupt)
        {
            // Continue as a new process on a copy of the disk, which the scenario may have changed.
            directory = Path.Combine(root, "second");
            new CrashImage(files.Log, files.Log.Count, new Dictionary<int, Fate>()).WriteTo(directory);
            interrupt(directory);
            files = scenario.CreateLayer(directory, scenario.BootId);
            store = CrashScenarios.CreateStore(directory, files);
        }

        int first = files.Log.Count;
        await scenario.Operation(store, directory);
        return (files.Log, first);
    }

    private static async Task<string> GetStatusAsync(CrashImage image, string root, string bootId)
    {
        string directory = Path.Combine(root, "image");
        image.WriteTo(directory);
        try
        {
            FileSystemUploadStore store = CrashScenarios.CreateStore(directory, new UnsyncedFileLayer(bootId));
            UploadInfo? info = await store.GetAsync(CrashScenarios.Key, default);
            if (info is null)
            {
                return "none";
            }

            await using Stream? content = await store.OpenReadAsync(CrashScenarios.Key, default);
            return string.Create(CultureInfo.InvariantCulture, $"{info.State}, {info.Offset}").ToLowerInvariant()
                + (content is null ? ", no content" : "")
                + (await store.GetResponseAsync(CrashScenarios.Key, default) is null ? "" : ", response");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
