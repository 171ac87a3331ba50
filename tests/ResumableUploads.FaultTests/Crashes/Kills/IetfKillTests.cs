using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>
/// A server is killed while it reports durable offsets to clients of the IETF draft in 104 responses.
/// RESUMABLE_UPLOADS_CRASH_SEED repeats a run.
/// </summary>
public class IetfKillTests(ITestOutputHelper output)
{
    private const int InFlight = 4;
    private const int MaxSize = 1 << 23;
    private const int LeastCount = 3;
    private static readonly TimeSpan UsualTime = TimeSpan.FromMinutes(5);

    /// <summary>Leaves time for the last rounds before the timeout of the test.</summary>
    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(8);

    [Theory]
    [InlineData(Durability.ProcessCrash, 40)]
    [InlineData(Durability.PowerLoss, 20)]
    public async Task Kill_keeps_offsets_reported_in_interim_responses(Durability durability, int rounds)
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("RESUMABLE_UPLOADS_CRASH_SEED"), out int given) ? given : RandomNumberGenerator.GetInt32(int.MaxValue);
        output.WriteLine($"RESUMABLE_UPLOADS_CRASH_SEED={seed}");
        var random = new Random(seed);
        using var directory = new UploadDirectory();
        string[] options = [$"ResumableUploads:FileSystem:Durability={durability}", "ResumableUploads:FileSystem:SyncSize=30000", "ResumableUploads:Timeouts:ProgressInterval=00:00:00.0000001", "ResumableUploads:Handler:LeaseDuration=00:00:01", "ResumableUploads:Ietf:InterimResponses=Always"];
        var uploads = new List<KilledIetfUpload>();
        int finished = 0;
        int resumed = 0;
        int interims = 0;
        bool isLast = false;
        long start = TimeProvider.System.GetTimestamp();
        for (int round = 0; !isLast; round++)
        {
            // How far a server gets before it is killed depends on the machine, so a run lasts until enough kills came at relevant moments. On a slow machine,
            // fewer rounds and kills are enough.
            TimeSpan time = TimeProvider.System.GetElapsedTime(start);
            isLast = time < UsualTime ? round >= rounds && resumed >= rounds / 4 && interims >= rounds
                : time > MaxTime || (resumed >= LeastCount && interims >= LeastCount);
            await using ChildHost child = await ChildHost.StartAsync(directory.Root, options);
            while (uploads.Count < InFlight)
            {
                uploads.Add(new KilledIetfUpload((round * InFlight) + uploads.Count, RandomNumberGenerator.GetBytes(1 + random.Next(MaxSize)), random.Next()));
            }

            var offsets = new List<long>();
            foreach (KilledIetfUpload upload in uploads)
            {
                offsets.Add(await upload.VerifyAsync(child.Client));
            }

            // The last round is not killed.
            bool killsAtBytes = random.Next(2) == 0;
            int countdown = isLast ? int.MaxValue : killsAtBytes ? random.Next(2 * MaxSize) : 1 + random.Next(60);
            resumed += offsets.Count(static offset => offset > 0);
            await Task.WhenAll(uploads.Zip(offsets, (upload, offset) => Task.Run(() => upload.SendAsync(child.Address, offset, bytes =>
            {
                if (killsAtBytes == (bytes > 0) && Interlocked.Add(ref countdown, -Math.Max(1, bytes)) <= 0)
                {
                    child.Kill();
                }
            }))));
            while (isLast && !uploads.TrueForAll(static upload => upload.IsDone))
            {
                foreach (KilledIetfUpload upload in uploads.Where(static upload => !upload.IsDone))
                {
                    await upload.SendAsync(child.Address, await upload.VerifyAsync(child.Client), static _ => { });
                }
            }

            child.Kill();
            await child.EndAsync();
            foreach (KilledIetfUpload done in uploads.Where(static upload => upload.IsDone).ToList())
            {
                directory.AssertFinished(done.Name, done.Source);
                interims += done.InterimResponses;
                uploads.Remove(done);
                finished++;
            }
        }

        output.WriteLine($"{finished} uploads finished, {resumed} uploads resumed, {interims} interim responses reported bytes.");
        Assert.InRange(resumed, LeastCount, int.MaxValue);
        Assert.InRange(interims, LeastCount, int.MaxValue);
    }
}
