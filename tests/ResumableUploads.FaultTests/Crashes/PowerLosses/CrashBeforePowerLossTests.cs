using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>
/// The process dies in the middle of a call, another process continues in the same boot with what is in the page cache, and then the power is lost.
/// Everything that either process has acknowledged is kept, no byte is wrong, and every upload can be resumed.
/// </summary>
public class CrashBeforePowerLossTests(ITestOutputHelper output)
{
    private const int Choices = 4;
    private const int MaxSteps = 500;

    [Theory]
    [MemberData(nameof(SmallHistoryTests.Names), MemberType = typeof(SmallHistoryTests))]
    public async Task Acknowledged_data_survives_a_crash_and_a_power_loss(string name)
    {
        int images = 0;
        int steps = 0;
        for (bool isDead = true; isDead; steps++)
        {
            Assert.True(steps < MaxSteps);
            using var run = new CrashRun($"{name}, dead after {steps} steps", CrashRun.Seed);
            isDead = await PlayAsync(run, name, steps);
            images += run.Images;
        }

        output.WriteLine($"{steps - 1} deaths, {images} disks.");
        Assert.True(steps > 20, $"Only {steps} steps were taken.");
    }

    [Theory]
    [InlineData("create")]
    [InlineData("received and completed")]
    [InlineData("outcomes")]
    public async Task Store_that_trusts_names_that_are_not_durable_is_detected(string name)
    {
        ContractViolationException? found = null;
        for (int steps = 0; found is null; steps++)
        {
            Assert.True(steps < MaxSteps);
            using var run = new CrashRun(name, CrashRun.Seed);
            found = await Record.ExceptionAsync(() => PlayAsync(run, name, steps, trustsUnsyncedNames: true)) as ContractViolationException;
        }

        output.WriteLine(found.Message);
    }

    private static async Task<bool> PlayAsync(CrashRun run, string name, int steps, bool trustsUnsyncedNames = false)
    {
        string directory = run.NewDirectory();
        var random = new Random(CrashRun.Seed);
        var files = new MortalLayer(directory) { StepsLeft = steps, TrustsUnsyncedNames = trustsUnsyncedNames };
        var first = new History(files, directory, random);
        bool isDead = false;
        try
        {
            await SmallHistories.All[name](first);
        }
        catch (ProcessDied)
        {
            isDead = true;
        }

        files.Revive();
        var second = new History(files, directory, random);
        await second.TakeOverAsync(first.Expected);
        int looked = files.Log.Count;
        foreach (UploadKey key in second.Expected.Keys.ToArray())
        {
            // An upload whose deletion was interrupted may or may not exist.
            if (second.Expected[key].Now is { } upload && upload.Records[^1].State == UploadState.Receiving && Directory.Exists(PathOf(directory, key)))
            {
                await second.AppendAsync(key, 10);
            }
        }

        for (int prefix = looked; prefix <= files.Log.Count; prefix++)
        {
            var pending = new PendingOperations(files.Log, prefix);
            foreach (Dictionary<int, Fate> fates in CrashChoices.All(files.Log, pending, sample: 0, random).Take(2))
            {
                await run.TryAsync(second, prefix, fates);
            }

            for (int i = 0; i < Choices * CrashRun.Rounds; i++)
            {
                await run.TryAsync(second, prefix, CrashChoices.AtRandom(files.Log, pending, random));
            }
        }

        return isDead;
    }

    private static string PathOf(string directory, UploadKey key) => new StorePaths(Path.Combine(directory, "store")).GetUploadDirectory(key);

    /// <summary>Ends the process after a number of steps. No cleanup of the store runs.</summary>
    private sealed class MortalLayer(string directory) : RecordingFileLayer(directory, CrashRun.BootOf("zero"))
    {
        private bool _isDead;

        public int StepsLeft { get; set; }

        public bool TrustsUnsyncedNames { get; init; }

        public void Revive()
        {
            _isDead = false;
            StepsLeft = int.MaxValue;
        }

        public override bool IsNameUnsynced(FileSnapshot file) => !TrustsUnsyncedNames && base.IsNameUnsynced(file);

        protected override void BeforeStep(string step)
        {
            _isDead |= StepsLeft-- == 0;
            if (_isDead)
            {
                throw new ProcessDied();
            }
        }
    }
}
