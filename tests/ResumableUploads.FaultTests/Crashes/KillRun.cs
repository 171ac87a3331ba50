using System.Globalization;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes;

/// <summary>Repeats start, verify, send and crash on one directory. Some uploads are always incomplete.</summary>
/// <param name="directory">The directory of the uploads.</param>
/// <param name="crash">How the server ends.</param>
/// <param name="random">The source of randomness.</param>
/// <param name="inFlight">The number of incomplete uploads.</param>
/// <param name="maxSize">The maximum upload size in bytes.</param>
/// <param name="options">The options of the server.</param>
internal sealed class KillRun(UploadDirectory directory, Crash crash, Random random, int inFlight, int maxSize, params string[] options)
{
    /// <summary>Options that make bytes durable, and report them, often while a request is running.</summary>
    public static readonly string[] Usual =
    [
        "ResumableUploads:FileSystem:SyncSize=30000",
        "ResumableUploads:Timeouts:ProgressInterval=00:00:00.0000001",
        "ResumableUploads:Handler:LeaseDuration=00:00:01",
        "ResumableUploads:Handler:MaxAttempts=1000000",
        "ResumableUploads:Handler:RetryDelay=00:00:00",
        "Progress=true",
    ];

    private static readonly TimeSpan UsualTime = TimeSpan.FromMinutes(5);

    /// <summary>Leaves time for the last rounds before the timeout of the test.</summary>
    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(8);

    private readonly List<KilledUpload> _uploads = [];
    private readonly HashSet<string> _left = [];
    private int _started;
    private int _midAppend;
    private int _inHandler;
    private long _unacknowledged;

    private enum KillAt
    {
        BytesSent,
        Responses,
        Progress,
        Handler,
    }

    /// <summary>Gets the number of uploads that completed and were compared.</summary>
    public int Finished { get; private set; }

    /// <summary>
    /// Runs the given number of rounds, and completes all uploads. How far a server gets before it is killed depends on the machine, so rounds are
    /// added until enough kills came at relevant moments. On a slow machine, fewer rounds and kills are enough, unless the number of rounds was set.
    /// </summary>
    /// <param name="rounds">The number of rounds.</param>
    /// <returns>The number of rounds.</returns>
    public async Task<int> RunAsync(int rounds)
    {
        int done = 0;
        long start = TimeProvider.System.GetTimestamp();
        while (!IsEnough(rounds, done, TimeProvider.System.GetElapsedTime(start)))
        {
            await RoundAsync();
            done++;
        }

        await FinishAsync();
        Assert.True(HasHit(rounds, maxCount: 3), $"{done} rounds prove nothing: {this}");
        return done;
    }

    public async Task RoundAsync()
    {
        KillAt where = (KillAt)random.Next(4);
        int countdown = where switch
        {
            KillAt.BytesSent => random.Next(inFlight * maxSize / 2),
            KillAt.Handler => 1 + random.Next(2),
            _ => 1 + random.Next(1 << random.Next(1, 7)),
        };
        await using ChildHost child = await crash.StartAsync(directory.Root, options);
        bool isArmed = false;
        void Count(KillAt what, int by)
        {
            if (Volatile.Read(ref isArmed) && what == where && Interlocked.Add(ref countdown, -by) <= 0)
            {
                crash.Trigger(child);
            }
        }

        child.Printed += line => Count(line.StartsWith("completing ", StringComparison.Ordinal) ? KillAt.Handler : KillAt.Progress, 1);
        try
        {
            await SendAllAsync(
                child, () => Volatile.Write(ref isArmed, true), bytes => Count(bytes > 0 ? KillAt.BytesSent : KillAt.Responses, Math.Max(1, bytes)));
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\nThe server's log:\n{child.Errors}", e);
        }

        // All uploads completed before the chosen moment.
        crash.Trigger(child);
        await child.EndAsync();
        AcknowledgeProgress(child.Output);
        await crash.RecoverAsync();
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Finished} uploads finished; {_midAppend} times bytes of an unacknowledged request were kept ({_unacknowledged} bytes), {_inHandler} kills between the last byte and its response.");

    private bool IsEnough(int rounds, int done, TimeSpan time) =>
        done < rounds && CrashSettings.Rounds is not null ? false
        : time < UsualTime ? done >= rounds && HasHit(rounds)
        : time > MaxTime || HasHit(rounds, maxCount: 3);

    /// <summary>Returns whether enough kills came at each relevant moment.</summary>
    /// <param name="rounds">The number of rounds of the run.</param>
    /// <param name="maxCount">The number of kills at a moment that is enough in any case.</param>
    private bool HasHit(int rounds, int maxCount = int.MaxValue) =>
        Finished >= Math.Min(maxCount, rounds / 10) && _midAppend >= Math.Min(maxCount, rounds / 10) && _inHandler >= Math.Min(maxCount, rounds / 50);

    /// <summary>Starts the server once more and completes all uploads.</summary>
    private async Task FinishAsync()
    {
        await using ChildHost child = await crash.StartAsync(directory.Root, options);
        await SendAllAsync(child, static () => { }, static _ => { });
        Assert.All(_uploads, static upload => Assert.True(upload.IsDone, upload.Name));
        _uploads.ToList().ForEach(Leave);
        Assert.Equal(_started, Finished);
        Assert.All(directory.FinishedFiles, file => Assert.True(_left.Contains(Path.GetFileName(file)), file));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(directory.Root, "quarantine")));
    }

    private async Task SendAllAsync(ChildHost child, Action verified, Action<int> sent)
    {
        foreach (KilledUpload done in _uploads.Where(static upload => upload.IsDone).ToList())
        {
            await done.VerifyAsync(child.Client, directory);
            Leave(done);
        }

        while (_uploads.Count < inFlight)
        {
            byte[] source = new byte[1 + random.Next(maxSize >> random.Next(8))];
            random.NextBytes(source);
            _uploads.Add(new KilledUpload($"upload-{_started++}-.bin", source, random.Next()));
        }

        var sending = new List<Task>();
        var offsets = new List<long>();
        foreach (KilledUpload upload in _uploads)
        {
            long responded = upload.LastReportedOffset;
            long offset = await upload.VerifyAsync(child.Client, directory);
            _midAppend += offset > responded ? 1 : 0;
            _unacknowledged += offset - responded;
            _inHandler += offset == upload.Source.Length ? 1 : 0;
            offsets.Add(offset);
        }

        verified();
        foreach ((KilledUpload upload, long offset) in _uploads.Zip(offsets))
        {
            sending.Add(Task.Run(() => upload.SendAsync(child.Client, offset, sent)));
        }

        await Task.WhenAll(sending);
    }

    /// <summary>Records the offsets that the app was notified about: they count as acknowledged, too.</summary>
    private void AcknowledgeProgress(IEnumerable<string> lines)
    {
        foreach (string[] words in lines.Select(static line => line.Split(' ')).Where(static words => words is ["progress", _, _]))
        {
            _uploads.Find(upload => upload.Name == words[1])?.Acknowledge(long.Parse(words[2], CultureInfo.InvariantCulture));
        }
    }

    private void Leave(KilledUpload upload)
    {
        _left.Add(upload.Name);
        directory.AssertFinished(upload.Name, upload.Source);
        _uploads.Remove(upload);
        Finished++;
    }
}
