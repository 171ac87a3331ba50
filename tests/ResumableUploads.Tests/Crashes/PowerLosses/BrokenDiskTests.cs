using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.Tests.Crashes.PowerLosses;

/// <summary>Are these tests able to fail? A disk on which a step is left out has to be found out.</summary>
public class BrokenDiskTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("append in pieces")]
    [InlineData("staged and kept")]
    [InlineData("received and completed")]
    [InlineData("create twice")]
    public Task Files_that_are_not_synced_are_found_out(string history) =>
        AssertFoundOutAsync(history, static directory => new NoFileSync(directory));

    [Theory]
    [InlineData("create twice")]
    [InlineData("append in pieces")]
    [InlineData("received and completed")]
    [InlineData("deleted and created again")]
    public Task Directories_that_are_not_synced_are_found_out(string history) =>
        AssertFoundOutAsync(history, static directory => new NoDirectorySync(directory));

    [Theory]
    [InlineData("received and completed")]
    [InlineData("staged and kept")]
    public Task A_file_that_takes_the_place_of_another_before_it_is_synced_is_found_out(string history) =>
        AssertFoundOutAsync(history, static directory => new NoReplacementSync(directory));

    private async Task AssertFoundOutAsync(string name, Func<string, RecordingFileLayer> newLayer)
    {
        using var run = new CrashRun(name, CrashRun.Seed);
        History history = await SmallHistories.PlayAsync(name, run, CrashRun.Seed, newLayer);
        LawBrokenException found = await Assert.ThrowsAsync<LawBrokenException>(() => run.TryAllAsync(history, sample: 4));
        output.WriteLine($"At disk {run.Images}: {found.Message}");
        Assert.IsType<LawBrokenException>(found.InnerException);
        Assert.Contains($"{name}, seed {CrashRun.Seed}, power lost after ", found.Message);
    }

    private sealed class NoFileSync(string directory) : RecordingFileLayer(directory, CrashRun.BootOf("zero"))
    {
        public override void Sync(OpenFile file)
        {
        }
    }

    private sealed class NoDirectorySync(string directory) : RecordingFileLayer(directory, CrashRun.BootOf("zero"))
    {
        public override void SyncDirectory(string path)
        {
        }
    }

    private sealed class NoReplacementSync(string directory) : RecordingFileLayer(directory, CrashRun.BootOf("zero"))
    {
        protected override void SyncReplacement(OpenFile file)
        {
        }
    }
}
