using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>Proves that a disk that skips a sync of a repair, or of a rare step that no history takes, is detected.</summary>
public class BrokenRepairTests
{
    private static readonly UploadKey Key = new("owner", "upload-1");

    /// <summary>A process dies before its bytes are durable, and another one makes them durable before it reports them.</summary>
    [Theory]
    [InlineData(".data", "is not what was sent")]
    [InlineData(".mark", "were acknowledged")]
    [InlineData(null, null)]
    public async Task Missing_sync_of_a_takeover_is_detected(string? file, string? loss)
    {
        using var run = new CrashRun("takeover", CrashRun.Seed);
        string directory = run.NewDirectory();
        bool isAlive = true;
        var files = new BrokenLayer(directory)
        {
            DiesAtSync = path => isAlive && path.EndsWith(".data", StringComparison.Ordinal),
            LosesFile = path => !isAlive && file is not null && path.EndsWith(file, StringComparison.Ordinal),
        };
        var first = new History(files, directory, new Random(CrashRun.Seed));
        await first.CreateAsync(Key);
        await Assert.ThrowsAsync<ProcessDied>(() => first.AppendAsync(Key, 60));
        isAlive = false;
        var second = new History(files, directory, new Random(CrashRun.Seed));
        await second.TakeOverAsync(first.Expected);
        await AssertDetectedAsync(run, second, loss);
    }

    /// <summary>The machine restarts, and the first append records the new boot.</summary>
    [Theory]
    [InlineData(true, "were acknowledged")]
    [InlineData(false, null)]
    public async Task Missing_sync_of_the_current_boot_is_detected(bool isLost, string? loss)
    {
        using var run = new CrashRun("boot", CrashRun.Seed) { NextBootName = "third" };
        (string directory, Expectations expected) = await CreateUploadAsync(run);
        int syncs = 0;
        var files = new BrokenLayer(directory, "first") { LosesFile = path => isLost && path.EndsWith(".mark", StringComparison.Ordinal) && syncs++ == 0 };
        var second = new History(files, directory, new Random(CrashRun.Seed));
        await second.ResumeAsync(expected);
        await second.AppendAsync(Key, 10);
        await AssertDetectedAsync(run, second, loss);
    }

    /// <summary>A power loss has torn the record. The repaired one is written from the version before.</summary>
    [Theory]
    [InlineData(true, "is missing")]
    [InlineData(false, null)]
    public async Task Missing_sync_of_a_repaired_record_is_detected(bool isLost, string? loss)
    {
        using var run = new CrashRun("repaired", CrashRun.Seed) { NextBootName = "third" };
        (string directory, Expectations expected) = await CreateUploadAsync(run);
        string record = Path.Combine(directory, "store", "uploads", "owner", "up", "upload-1", "record.json");
        File.Copy(record, record + ".tmp");
        File.WriteAllText(record, "damaged");
        var files = new BrokenLayer(directory, "first") { LosesReplacement = path => isLost && path.EndsWith(".repaired", StringComparison.Ordinal) };
        var second = new History(files, directory, new Random(CrashRun.Seed));
        await second.ResumeAsync(expected);
        await AssertDetectedAsync(run, second, loss);
    }

    /// <summary>A listing removes the directories that a deletion has left empty, before the deletion is durable.</summary>
    [Theory]
    [InlineData("/store/uploads/owner", "up", "was deleted, but exists")]
    [InlineData("/store/uploads", "owner", "was deleted, but exists")]
    [InlineData(null, "up", null)]
    [InlineData(null, "owner", null)]
    public async Task Missing_sync_of_a_deletion_whose_directories_were_removed_is_detected(string? path, string removed, string? loss)
    {
        using var run = new CrashRun("deleted", CrashRun.Seed);
        string directory = run.NewDirectory();
        bool isDeleted = false;
        var files = new BrokenLayer(directory)
        {
            RemovesEmpty = name => isDeleted && (name == "up" || name == removed),
            LosesDirectory = name => isDeleted && path is not null && name.EndsWith(path, StringComparison.Ordinal),
        };
        var history = new History(files, directory, new Random(CrashRun.Seed));
        await history.CreateAsync(Key);
        isDeleted = true;
        await history.DeleteAsync(Key);
        await AssertDetectedAsync(run, history, loss);
    }

    [Fact]
    public async Task Missing_sync_of_the_parent_of_the_store_is_detected()
    {
        using var run = new CrashRun("parent", CrashRun.Seed);
        string directory = run.NewDirectory();
        var history = new History(new BrokenLayer(directory) { LosesDirectory = path => path == directory }, directory, new Random(CrashRun.Seed));
        await history.CreateAsync(Key);
        await AssertDetectedAsync(run, history, "is missing");
    }

    private static async Task<(string Directory, Expectations Expected)> CreateUploadAsync(CrashRun run)
    {
        string directory = run.NewDirectory();
        var history = new History(new RecordingFileLayer(directory, CrashRun.BootOf("zero")), directory, new Random(CrashRun.Seed));
        await history.CreateAsync(Key);
        await history.AppendAsync(Key, 50);
        return (directory, history.Expected);
    }

    private static async Task AssertDetectedAsync(CrashRun run, History history, string? loss)
    {
        Exception? found = await Record.ExceptionAsync(() => run.TryAllAsync(history, sample: 4));
        if (loss is null)
        {
            Assert.Null(found);
        }
        else
        {
            Assert.Contains(loss, Assert.IsType<ContractViolationException>(found).InnerException!.Message);
        }
    }
}
