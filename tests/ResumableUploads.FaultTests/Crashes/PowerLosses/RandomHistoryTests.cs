using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>Random histories with several power losses. Each continues on the disk that the previous loss has left.</summary>
public class RandomHistoryTests(ITestOutputHelper output)
{
    private const int Histories = 12;
    private const int Boots = 4;
    private const int Looks = 16;

    private static readonly UploadKey[] Keys = [new("owner", "upload-1"), new("owner", "upload-2"), new("other", "upload-1")];

    [Fact]
    public async Task Acknowledged_data_survives_each_power_loss()
    {
        int images = 0;
        for (int seed = CrashRun.Seed; seed < CrashRun.Seed + (Histories * CrashRun.Rounds); seed++)
        {
            using var run = new CrashRun("random", seed);
            await PlayAsync(run, seed);
            images += run.Images;
        }

        output.WriteLine($"{images} disks.");
        Assert.True(images > 400, $"Only {images} disks were verified.");
    }

    private static async Task PlayAsync(CrashRun run, int seed)
    {
        var random = new Random(seed);
        string directory = run.NewDirectory();
        var before = new Expectations();
        for (int boot = 0; boot < Boots; boot++)
        {
            var files = new RecordingFileLayer(directory, CrashRun.BootOf($"boot-{boot}")) { SyncOrder = random };
            var history = new History(files, directory, random);
            await history.ResumeAsync(before);
            int steps = random.Next(4, 12);
            for (int step = 0; step < steps; step++)
            {
                await StepAsync(history, Keys[random.Next(Keys.Length)], random);
            }

            for (int look = 0; look < Looks; look++)
            {
                int at = random.Next(history.Beginning, history.Log.Count + 1);
                await run.TryAsync(history, at, CrashChoices.AtRandom(history.Log, new PendingOperations(history.Log, at), random));
            }

            int end = random.Next(history.Beginning, history.Log.Count + 1);
            Dictionary<int, Fate> fates = CrashChoices.AtRandom(history.Log, new PendingOperations(history.Log, end), random);
            await run.TryAsync(history, end, fates);
            directory = run.NewDirectory();
            new CrashImage(history.Log, end, fates).WriteTo(directory);
            before = Expectations.At(history.Log, end);
        }
    }

    private static async Task StepAsync(History history, UploadKey key, Random random)
    {
        if (history.Expected[key].Now is not { } upload)
        {
            await (random.Next(4) == 0 ? history.CreateAndFinishAsync(key, random.Next(250), random.Next(3))
                : random.Next(3) == 0
                ? history.CreateWholeAsync(key, (UploadState)random.Next((int)UploadState.Received, (int)UploadState.Completed + 1), random.Next(250))
                : history.CreateAsync(key));
            return;
        }

        UploadState state = upload.Records[0].State;
        int[] sizes = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(1, 150))];
        switch (random.Next(12))
        {
            case 0 when state == UploadState.Receiving:
                await (random.Next(2) == 0 ? history.AppendAndFinishAsync(key, sizes) : history.AppendFinalAsync(key, UploadState.Received, sizes));
                break;
            case < 4 when state == UploadState.Receiving:
                await history.AppendAsync(key, sizes);
                break;
            case < 7 when state == UploadState.Receiving:
                await history.StageAsync(key, isWanted: random.Next(2) == 0, sizes);
                break;
            case 7 when state == UploadState.Receiving:
                await history.FinishAsync(key, random.Next(1, 3));
                break;
            case < 8:
                await history.UpdateAsync(key, (UploadState)random.Next((int)state, (int)UploadState.Completed + 1));
                break;
            case < 10:
                await history.CompleteAsync(key, random.Next(2) == 0 ? 40 : 20_000);
                break;
            case 10:
                await history.DeleteAsync(key, isConditional: random.Next(2) == 0);
                break;
            default:
                await history.CleanUpAsync();
                break;
        }
    }
}
