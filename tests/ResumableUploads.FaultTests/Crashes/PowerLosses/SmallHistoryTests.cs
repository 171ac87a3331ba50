using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>Power loss after every single step that the store takes on its disk.</summary>
public class SmallHistoryTests(ITestOutputHelper output)
{
    public static TheoryData<string> Names => [.. SmallHistories.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Acknowledged_data_survives_a_power_loss_after_any_step(string name)
    {
        using var run = new CrashRun(name, CrashRun.Seed);
        History history = await SmallHistories.PlayAsync(name, run, CrashRun.Seed, static directory => new RecordingFileLayer(directory, CrashRun.BootOf("zero")));
        await run.TryAllAsync(history, sample: 4 * CrashRun.Rounds);
        output.WriteLine($"{history.Log.Count} entries of the log, {run.Images} disks.");
        Assert.True(run.Images > 20, $"Only {run.Images} disks were verified.");
    }

    /// <summary>Syncs that run at the same time end in any order.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public async Task Acknowledged_data_survives_a_power_loss_with_any_order_of_syncs(string name)
    {
        const int Orders = 6;
        for (int seed = CrashRun.Seed; seed < CrashRun.Seed + (Orders * CrashRun.Rounds); seed++)
        {
            using var run = new CrashRun($"{name}, other order", seed);
            History history = await SmallHistories.PlayAsync(
                name, run, seed, directory => new RecordingFileLayer(directory, CrashRun.BootOf("zero")) { SyncOrder = new Random(seed) });
            await run.TryAllAsync(history, sample: 1);
        }
    }
}

/// <summary>Histories of a few calls, small enough to try every possible state of the disk.</summary>
internal static class SmallHistories
{
    /// <summary>The length of a response that is stored in a file of its own.</summary>
    private const int LongResponse = 20_000;

    private static readonly UploadKey Key = new("owner", "upload-1");
    private static readonly UploadKey Other = new("owner", "upload-2");

    public static IReadOnlyDictionary<string, Func<History, Task>> All { get; } = new Dictionary<string, Func<History, Task>>
    {
        ["create"] = async history => await history.CreateAsync(Key),
        ["create twice"] = async history =>
        {
            await history.CreateAsync(Key);
            await history.CreateAsync(Other);
        },
        ["append in chunks"] = async history =>
        {
            await history.CreateAsync(Key);
            await history.AppendAsync(Key, 60, 60, 30, 120, 10);
            await history.AppendAsync(Key, 20);
        },
        ["append of many bytes"] = async history =>
        {
            // More than are synced together with the mark.
            await history.CreateAsync(Key);
            await history.AppendAsync(Key, 300_000);
        },
        ["staged and kept"] = async history =>
        {
            await history.CreateAsync(Key);
            await history.AppendAsync(Key, 30);
            await history.StageAsync(Key, isWanted: true, 60, 60, 40);
        },
        ["staged and discarded"] = async history =>
        {
            await history.CreateAsync(Key);
            await history.StageAsync(Key, isWanted: false, 60, 60, 40);
            await history.AppendAsync(Key, 70);
        },
        ["received and completed"] = async history =>
        {
            await history.CreateAsync(Key);
            await history.AppendAsync(Key, 50);
            await history.UpdateAsync(Key, UploadState.Receiving);
            await history.UpdateAsync(Key, UploadState.Received);
            await history.CompleteAsync(Key, LongResponse);
            await history.UpdateAsync(Key, UploadState.Completed);
        },
        ["created whole and completed"] = async history =>
        {
            await history.CreateWholeAsync(Key, UploadState.Received, 50);
            await history.CompleteAsync(Key);
            await history.UpdateAsync(Key, UploadState.Completed);
        },
        ["received and completed at once"] = async history =>
        {
            await history.CreateAsync(Key);
            await history.AppendAsync(Key, 50);
            await history.FinishAsync(Key, changeCount: 2);
        },
        ["received with the last append"] = async history =>
        {
            await history.CreateAsync(Key);
            await history.AppendFinalAsync(Key, UploadState.Completed, 60, 30);
        },
        ["received with the last append, completed at once"] = async history =>
        {
            await history.CreateAsync(Key);
            await history.AppendAndFinishAsync(Key, 60, 60, 40, 30);
        },
        ["created and completed at once"] = async history =>
        {
            await history.CreateAndFinishAsync(Key, 50);
            await history.CreateAndFinishAsync(Other, 0, changeCount: 0);
        },
        ["completed with a long response"] = async history => await history.CreateAndFinishAsync(Key, 50, changeCount: 2, responseSize: LongResponse),
        ["created whole again and again"] = async history =>
        {
            await history.CreateWholeAsync(Key, UploadState.Completed, 150);
            await history.CreateWholeAsync(Other, UploadState.Completed, 0);
            await history.CompleteAsync(Key, LongResponse);
            await history.DeleteAsync(Key, isConditional: true);
            await history.CreateWholeAsync(Key, UploadState.Completed, 40);
            await history.DeleteAsync(Key);
        },
        ["replaced while receiving"] = async history =>
        {
            await history.CreateAsync(Key);
            await history.AppendAsync(Key, 150, 20);
            await history.CreateAsync(Other);
            await history.AppendAsync(Other, 40);
            await history.ReplaceAsync(Key, Other);
            await history.AppendAsync(Key, 30);
        },
        ["replaced after completion"] = async history =>
        {
            await history.CreateWholeAsync(Key, UploadState.Received, 50);
            await history.CompleteAsync(Key);
            await history.UpdateAsync(Key, UploadState.Completed);
            await history.CreateAsync(Other);
            await history.StageAsync(Other, isWanted: true, 60, 60, 40);
            await history.ReplaceAsync(Key, Other);
            await history.UpdateAsync(Key, UploadState.Received);
            await history.CompleteAsync(Key);
            await history.UpdateAsync(Key, UploadState.Completed);
        },
        ["outcomes"] = async history =>
        {
            await history.CreateAsync(Key);
            await history.CompleteAsync(Key);
            await history.CompleteAsync(Key, LongResponse);
            await history.CompleteAsync(Key, LongResponse);
            await history.CompleteAsync(Key);
        },
        ["deleted"] = async history =>
        {
            await history.CreateAsync(Key);
            await history.AppendAsync(Key, 50);
            await history.DeleteAsync(Key);
        },
        ["deleted and created again"] = async history =>
        {
            await history.CreateAsync(Key);
            await history.AppendAsync(Key, 50);
            await history.CompleteAsync(Key);
            await history.DeleteAsync(Key);
            await history.CreateAsync(Key);
            await history.AppendAsync(Key, 40);
            await history.DeleteAsync(Key, isConditional: true);
        },
        ["created again after a clean-up"] = async history =>
        {
            await history.CreateAsync(Key);
            await history.DeleteAsync(Key);
            await history.CleanUpAsync();
            await history.CreateAsync(Key);
        },
    };

    public static async Task<History> PlayAsync(string name, CrashRun run, int seed, Func<string, RecordingFileLayer> newLayer)
    {
        string directory = run.NewDirectory();
        var history = new History(newLayer(directory), directory, new Random(seed));
        await All[name](history);
        return history;
    }
}
