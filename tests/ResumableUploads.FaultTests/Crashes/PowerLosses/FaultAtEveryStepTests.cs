using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>
/// The disk refuses any one step of the store; if it is a write, a part of it is written first. The call fails in a documented way or succeeds.
/// Everything acknowledged is kept, also after a power loss, and every upload can be resumed in this process and the next.
/// </summary>
public class FaultAtEveryStepTests(ITestOutputHelper output)
{
    private const int MaxSteps = 500;
    private const int Choices = 4;
    private const int InputOutput = 5;
    private const int NoSpace = 28;

    public static MatrixTheoryData<string, int> Histories => new([.. SmallHistories.All.Keys], [InputOutput, NoSpace]);

    [Theory]
    [MemberData(nameof(Histories))]
    public async Task Refused_step_loses_nothing_and_upload_resumes(string name, int error)
    {
        int failures = 0;
        int steps = 0;
        for (bool isRefused = true; isRefused; steps++)
        {
            Assert.True(steps < MaxSteps);
            using var run = new CrashRun(name, CrashRun.Seed);
            string directory = run.NewDirectory();
            var files = new RefusingLayer(directory, error) { StepsLeft = steps };
            var history = new History(files, directory, new Random(CrashRun.Seed));
            try
            {
                UploadStoreException? failure = await PlayAsync(SmallHistories.All[name], history);
                isRefused = files.Refused is not null;

                // Cleanup may fail: nothing was acknowledged, and the next read cleans up.
                bool mayGoUnnoticed = files.Refused != nameof(FileLayer.Sync) || name == "staged and discarded";
                Assert.True(mayGoUnnoticed || failure is not null, "A sync of a file failed, but the call succeeded.");
                files.StepsLeft = int.MaxValue;
                if (failure is not null)
                {
                    Assert.True(isRefused, failure.ToString());
                    Assert.Equal(error == NoSpace ? StoreFailure.Full : StoreFailure.Unavailable, failure.Failure);
                    failures++;
                }

                await LosePowerAsync(run, history, files, directory);
                await history.ContinueAfterFailureAsync(failure?.DurableOffset, History.NewStore(directory, files));
            }
            catch (Exception e)
            {
                string log = string.Join("\n", history.Log.TakeLast(20).Select(static operation => $"  {operation}"));
                throw new ContractViolationException($"{name}, step {steps} refused ({files.Refused}), error {error}: {e.Message}\n{log}", e);
            }
        }

        output.WriteLine($"{steps - 1} steps refused, {failures} calls failed.");
        Assert.True(failures > 5, $"Only {failures} calls failed.");
    }

    /// <summary>Loses power after the failure. What a read returns before that counts as acknowledged.</summary>
    private static async Task LosePowerAsync(CrashRun run, History history, RefusingLayer files, string directory)
    {
        var random = new Random(CrashRun.Seed);
        var next = new History(files, directory, random);
        await next.TakeOverAsync(history.Expected);
        var pending = new PendingOperations(files.Log, files.Log.Count);
        foreach (Dictionary<int, Fate> fates in CrashChoices.All(files.Log, pending, sample: Choices * CrashRun.Rounds, random))
        {
            await run.TryAsync(next, files.Log.Count, fates);
        }
    }

    private static async Task<UploadStoreException?> PlayAsync(Func<History, Task> play, History history)
    {
        try
        {
            await play(history);
            return null;
        }
        catch (UploadStoreException e)
        {
            return e;
        }
    }

    /// <summary>Refuses one step.</summary>
    private sealed class RefusingLayer(string directory, int error) : RecordingFileLayer(directory, CrashRun.BootOf("zero"))
    {
        public int StepsLeft { get; set; }

        /// <summary>Gets the refused step, or null.</summary>
        public string? Refused { get; private set; }

        public override void Write(OpenFile file, ReadOnlySequence<byte> content, long offset)
        {
            if (StepsLeft == 0 && content.First.Length > 1)
            {
                // A part is written before the refusal. That write is not a step of its own.
                StepsLeft = int.MaxValue;
                base.Write(file, content.Slice(0, content.First.Length / 2), offset);
                StepsLeft = 0;
            }

            base.Write(file, content, offset);
        }

        protected override void BeforeStep(string step)
        {
            if (StepsLeft-- == 0)
            {
                Refused = step;
                throw new IOException("Refused.", error);
            }
        }
    }
}
