using System.Text.RegularExpressions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>
/// Leaves out each single sync of each history. Either something is lost that was acknowledged, or the sync is one of those below, which are made for
/// another reason.
/// </summary>
public partial class SingleSyncTests(ITestOutputHelper output)
{
    private const int Seed = 1;
    private const string Uploads = "store/uploads";
    private const string Owner = "store/uploads/owner";
    private const string Shard = "store/uploads/owner/up";
    private const string First = "store/uploads/owner/up/upload-1";
    private const string Second = "store/uploads/owner/up/upload-2";

    /// <summary>
    /// The directories above an upload, where an earlier call of the history has synced them. A call does not know that: another request may have created them,
    /// and may be about to sync them.
    /// </summary>
    private static readonly string[] KnownParents = [Owner, Uploads];

    /// <summary>
    /// A receiving upload that is staged: after a power loss, bytes behind the mark are cut off, whatever the record says. The record gets durable names and the
    /// content intermediate syncs all the same, so that a staged append takes the same steps as all others.
    /// </summary>
    private static readonly string[] Staged = ["*", "*/*.data", "*"];

    /// <summary>The files of an upload whose name is deferred. Without them, a power loss could leave a damaged upload, which was never acknowledged, in quarantine.</summary>
    private static readonly string[] DeferredFiles = ["store/temp/*/record.json", "store/temp/*"];

    private static readonly Dictionary<string, string[]> Unnecessary = new()
    {
        ["create twice"] = KnownParents,
        ["staged and kept"] = In(First, Staged),
        ["staged and discarded"] = In(First, ["*", "*/*.data", "*/*.data", "*"]),
        ["received and completed at once"] = [Shard, .. KnownParents],
        ["received with the last append, completed at once"] = [Shard, .. KnownParents],
        ["created and completed at once"] = [.. DeferredFiles, .. DeferredFiles, .. KnownParents],
        ["completed with a long response"] = DeferredFiles,
        ["created whole again and again"] = [.. KnownParents, .. KnownParents],

        // The files of the new upload are in their directory before its record is. A journal keeps the order of names, but not every file system has one.
        ["replaced while receiving"] = [.. KnownParents, First],
        ["replaced after completion"] = [.. KnownParents, .. In(Second, Staged), First],
        ["deleted and created again"] = KnownParents,
    };

    public static TheoryData<string> Names => [.. SmallHistories.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Sync_that_is_left_out_is_detected_or_known_to_be_unnecessary(string name)
    {
        var undetected = new List<string?>();
        int count = 0;
        for (int skipped = 0; skipped <= count; skipped++)
        {
            using var run = new CrashRun(name, Seed);
            ForgetfulLayer? layer = null;
            History history = await SmallHistories.PlayAsync(name, run, Seed, directory => layer = new ForgetfulLayer(directory, skipped));
            count = layer!.SyncCount;
            Exception? loss = await Record.ExceptionAsync(() => run.TryAllAsync(history, sample: 1));
            if (loss is null)
            {
                undetected.Add(layer.Skipped);
            }
            else
            {
                Assert.IsType<ContractViolationException>(loss);
            }
        }

        output.WriteLine($"{count} syncs.");

        // Nothing is lost if no sync is left out.
        Assert.Equal([null, .. Unnecessary.GetValueOrDefault(name, [])], undetected);
    }

    private static string[] In(string directory, string[] paths) => [.. paths.Select(path => directory + path[1..])];

    /// <summary>Leaves out one sync, counted from 1.</summary>
    private sealed partial class ForgetfulLayer(string directory, int skipped) : RecordingFileLayer(directory, CrashRun.BootOf("zero"))
    {
        private readonly string _directory = directory;

        public int SyncCount { get; private set; }

        /// <summary>Gets the path that was not synced, without random names.</summary>
        public string? Skipped { get; private set; }

        public override void Sync(OpenFile file)
        {
            if (!Skips(file.Path))
            {
                base.Sync(file);
            }
        }

        public override void SyncDirectory(string path)
        {
            if (!Skips(path))
            {
                base.SyncDirectory(path);
            }
        }

        private bool Skips(string path)
        {
            bool skips = ++SyncCount == skipped;
            if (skips)
            {
                Skipped = RandomName().Replace(Path.GetRelativePath(_directory, path), "*");
            }

            return skips;
        }

        [GeneratedRegex("(?<=temp/)[0-9a-f]/[0-9a-f]{32}|[0-9a-f]{32}")]
        private static partial Regex RandomName();
    }
}
