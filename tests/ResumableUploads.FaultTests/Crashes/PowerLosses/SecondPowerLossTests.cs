using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>The power is lost twice: the second time on the disk that the first loss has left.</summary>
public class SecondPowerLossTests(ITestOutputHelper output)
{
    private static readonly UploadKey Key = new("owner", "upload-1");

    [Fact]
    public async Task Bytes_acknowledged_between_two_power_losses_survive_the_second()
    {
        using var run = new CrashRun("two losses", CrashRun.Seed);
        History first = await SmallHistories.PlayAsync("create", run, CrashRun.Seed, static directory => new RecordingFileLayer(directory, CrashRun.BootOf("zero")));
        int end = first.Log.Count;
        var seen = new HashSet<string>();
        foreach (Dictionary<int, Fate> fates in CrashChoices.All(first.Log, new PendingOperations(first.Log, end), sample: 0, new Random(CrashRun.Seed)))
        {
            var image = new CrashImage(first.Log, end, fates);
            if (!seen.Add(image.Signature))
            {
                continue;
            }

            string directory = run.NewDirectory();
            image.WriteTo(directory);
            var second = new History(new RecordingFileLayer(directory, CrashRun.BootOf("one")), directory, new Random(CrashRun.Seed));
            await second.ResumeAsync(first.Expected);
            await second.AppendAsync(Key, 60, 60, 30);
            await second.StageAsync(Key, isWanted: true, 40);
            await run.TryAllAsync(second, sample: 2 * CrashRun.Rounds);
        }

        output.WriteLine($"{seen.Count} disks after the first loss, {run.Images} after the second.");
        Assert.True(seen.Count > 3, $"Only {seen.Count} disks were used.");
    }
}
