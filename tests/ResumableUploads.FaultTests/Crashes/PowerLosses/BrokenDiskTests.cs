using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>Proves that these tests can fail: a disk that skips a step must be detected by what is lost with it.</summary>
public class BrokenDiskTests(ITestOutputHelper output)
{
    private const string Gone = "is missing";
    private const string Bytes = "were acknowledged";
    private const string Content = "is not what was sent";
    private const string Back = "was deleted, but exists";
    private const string Record = "The record of owner/upload-1 is neither";
    private const string Shorter = "has 50 bytes, and 0 can be read";
    private const string Unreadable = "can be read";
    private const string Outcome = "The stored response of owner/upload-1 is neither";

    // The history, the files that are not synced, and what is lost.
    [Theory]
    [InlineData("create twice", "", Gone)]
    [InlineData("append in chunks", "", Gone)]
    [InlineData("create twice", "record.json", Gone)]
    [InlineData("append in chunks", ".data", Content)]
    [InlineData("append in chunks", ".mark", Bytes)]
    [InlineData("staged and kept", ".data", Content)]
    [InlineData("staged and kept", ".mark", Bytes)]
    [InlineData("received and completed", "record.json.tmp", Gone)]
    [InlineData("received with the last append", ".data", Unreadable)]
    [InlineData("received with the last append", "record.json.tmp", Gone)]
    [InlineData("received with the last append, completed at once", ".mark", Bytes)]
    [InlineData("staged and kept", "record.json.tmp", Gone)]
    [InlineData("received and completed at once", "record.json.next", Gone)]
    [InlineData("created and completed at once", ".data", Shorter)]
    [InlineData("created whole and completed", ".data", Shorter)]
    [InlineData("append of many bytes", ".data", Content)]
    [InlineData("append of many bytes", ".mark", Bytes)]
    public Task Missing_file_sync_is_detected(string history, string file, string loss) =>
        AssertFoundOutAsync(history, directory => new BrokenLayer(directory) { LosesFile = path => path.EndsWith(file, StringComparison.Ordinal) }, loss);

    [Theory]
    [InlineData("create twice", "", Gone)]
    [InlineData("create twice", "/store", Gone)]
    [InlineData("create twice", "/store/uploads", Gone)]
    [InlineData("create twice", "/store/uploads/owner", Gone)]
    [InlineData("create twice", "/store/uploads/owner/up", Gone)]
    [InlineData("deleted and created again", "/store/uploads/owner/up", Gone)]
    [InlineData("received and completed", "/store/uploads/owner/up/upload-1", Record)]
    [InlineData("received and completed at once", "/store/uploads/owner/up/upload-1", Record)]
    [InlineData("received with the last append", "/store/uploads/owner/up/upload-1", Bytes)]
    [InlineData("created and completed at once", "/store/uploads", Gone)]
    [InlineData("created and completed at once", "/store/uploads/owner", Gone)]
    [InlineData("created and completed at once", "/store/uploads/owner/up", Gone)]
    [InlineData("created and completed at once", "/store/uploads/owner/up/upload-1", Record)]
    public Task Missing_directory_sync_is_detected(string history, string end, string loss) =>
        AssertFoundOutAsync(history, directory => new BrokenLayer(directory) { LosesDirectory = path => path.EndsWith(end, StringComparison.Ordinal) }, loss);

    [Fact]
    public Task Missing_sync_of_a_deletion_is_detected() => AssertFoundOutAsync(
        "deleted",
        static directory => new BrokenLayer(directory) { LosesDirectory = path => path.EndsWith("/up", StringComparison.Ordinal) && !Directory.Exists(path + "/upload-1") },
        Back);

    [Fact]
    public Task Missing_sync_of_a_stored_response_is_detected() => AssertFoundOutAsync(
        "received and completed",
        static directory => new BrokenLayer(directory) { LosesDirectory = path => Directory.Exists(path) && Directory.EnumerateFiles(path, "*.outcome").Any() },
        Record);

    /// <summary>The old record must keep a name until the new one is durable.</summary>
    [Theory]
    [InlineData("received and completed")]
    [InlineData("received and completed at once")]
    [InlineData("staged and kept")]
    [InlineData("replaced after completion")]
    public Task Replacement_that_keeps_no_earlier_record_is_detected(string history) =>
        AssertFoundOutAsync(history, static directory => new BrokenLayer(directory) { KeepsPrevious = false }, Gone);

    [Theory]
    [InlineData("received and completed", ".tmp", Outcome)]
    [InlineData("completed with a long response", ".tmp", Outcome)]
    [InlineData("outcomes", ".tmp", Outcome)]
    public Task Replacement_before_the_sync_of_the_file_is_detected(string history, string file, string loss) => AssertFoundOutAsync(
        history, directory => new BrokenLayer(directory) { LosesReplacement = path => path.EndsWith(file, StringComparison.Ordinal) }, loss);

    /// <summary>The store assumes that nothing was lost, because the machine reports the same boot id as when it wrote.</summary>
    [Theory]
    [InlineData("append in chunks")]
    [InlineData("staged and kept")]
    public Task Store_that_trusts_an_unsynced_file_length_is_detected(string history) =>
        AssertFoundOutAsync(history, static directory => new BrokenLayer(directory), Content, nextBoot: "zero");

    private async Task AssertFoundOutAsync(string name, Func<string, RecordingFileLayer> newLayer, string loss, string nextBoot = "first")
    {
        using var run = new CrashRun(name, CrashRun.Seed) { NextBootName = nextBoot };
        History history = await SmallHistories.PlayAsync(name, run, CrashRun.Seed, newLayer);
        ContractViolationException found = await Assert.ThrowsAsync<ContractViolationException>(() => run.TryAllAsync(history, sample: 4));
        output.WriteLine($"At disk {run.Images}: {found.Message}");
        Assert.IsType<ContractViolationException>(found.InnerException);
        Assert.Contains(loss, found.InnerException.Message);
        Assert.Contains($"{name}, seed {CrashRun.Seed}, power lost after ", found.Message);
    }
}
