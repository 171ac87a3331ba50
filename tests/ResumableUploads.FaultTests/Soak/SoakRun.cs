using System.Globalization;
using ResumableUploads.FaultTests.Crashes.Disks;
using ResumableUploads.FaultTests.Network;
using ResumableUploads.FaultTests.Network.Lines;
using ResumableUploads.FaultTests.Network.Senders;

namespace ResumableUploads.FaultTests.Soak;

/// <summary>
/// Clients of all protocols send to one server over faulty connections, while the server is killed and restarted, its disk is full and its power is
/// lost. Everything that a client has received stays true.
/// </summary>
/// <param name="fileSystem">The file system of the disk: <c>ext4</c> or <c>xfs</c>.</param>
/// <param name="seed">The seed of everything random except scheduling.</param>
/// <param name="options">Additional options of the server.</param>
internal sealed class SoakRun(string fileSystem, int seed, params string[] options)
{
    private const int Clients = 12;

    /// <summary>
    /// Completed uploads are kept, and a fast machine completes fifty uploads per second, each with some six files and directories.
    /// </summary>
    private const long DiskSize = 8L << 30;
    private static readonly string[] Protocols = ["file-id", "tus", "ietf"];
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ConclusionTimeout = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan BetweenConclusions = TimeSpan.FromMilliseconds(100);
    private static readonly string[] Usual =
    [
        "ResumableUploads:FileSystem:SyncSize=30000",
        "ResumableUploads:Timeouts:ProgressInterval=00:00:00.0000001",
        "ResumableUploads:Handler:LeaseDuration=00:00:01",
        "ResumableUploads:Handler:MaxAttempts=1000000",
        "ResumableUploads:Handler:RetryDelay=00:00:00",
        "ResumableUploads:AnonymousOwner=Shared",
        string.Create(CultureInfo.InvariantCulture, $"ResumableUploads:MaxUploadSize={NetworkApp.MaxUploadSize}"),

        // Uploads whose creation response was lost remain in the store.
        "ResumableUploads:Limits:MaxUploadsPerOwner=2147483647",
        "ResumableUploads:Limits:MaxBytesPerOwner=9223372036854775807",
        "ResumableUploads:Limits:MaxAppendsPerOwner=2147483647",
    ];

    private readonly FaultCounts _counts = new();
    private readonly CancellationTokenSource _failed = new();
    private volatile bool _isOver;
    private int _next;
    private int _uploads;
    private int _refused;
    private long _bytes;

    /// <summary>Runs for this time and until each fault has happened. The first loss ends the run.</summary>
    public async Task<SoakTotals> RunAsync(TimeSpan time)
    {
        await using LoopDisk disk = await LoopDisk.MountAsync(fileSystem, DiskSize);
        await using var server = new SoakServer(disk, [.. Usual, .. options]);
        var finished = new FinishedUploads(server.Directory);
        await server.StartAsync();
        Task[] parts =
        [
            Task.Run(() => FirstLossEndsAllAsync(() => BreakAsync(server, finished, time))),
            .. Enumerable.Range(0, Clients).Select(_ => Task.Run(() => FirstLossEndsAllAsync(() => SendAsync(server, finished)))),
        ];
        try
        {
            await Task.WhenAll(parts);
            await server.EndAsync(ServerFault.Restart);
            finished.Verify();
        }
        catch (Exception)
        {
            // The other exceptions are consequences of the first.
            Exception first = parts.Where(static part => part.IsFaulted).Select(static part => part.Exception!.InnerException!).FirstOrDefault(static e => e is not OperationCanceledException)
                ?? parts.FirstOrDefault(static part => part.IsFaulted)?.Exception?.InnerException ?? new NetworkTestException("A completed upload differs from what the server reported.");
            throw new NetworkTestException($"A loss on {fileSystem}, seed {seed}: {(first is NetworkTestException ? first.Message : first)}\n{_counts}\n{server.Log}");
        }

        return new SoakTotals(fileSystem, _uploads, _refused, _bytes, _counts);
    }

    private async Task FirstLossEndsAllAsync(Func<Task> part)
    {
        try
        {
            await part();
        }
        catch
        {
            await _failed.CancelAsync();
            throw;
        }
    }

    private async Task BreakAsync(SoakServer server, FinishedUploads finished, TimeSpan time)
    {
        long began = TimeProvider.System.GetTimestamp();
        var random = new Random(seed);
        do
        {
            ServerFault[] faults = Enum.GetValues<ServerFault>();
            random.Shuffle(faults);
            foreach (ServerFault fault in faults)
            {
                await PauseAsync(random);
                if (fault != ServerFault.FullDisk)
                {
                    await EndAsync(server, finished, fault);
                    await server.StartAsync();
                    continue;
                }

                _counts.Add(nameof(ServerFault.FullDisk));
                server.Fill();
                await PauseAsync(random);
                if (random.Next(2) == 0)
                {
                    await EndAsync(server, finished, (ServerFault)random.Next((int)ServerFault.FullDisk));
                    await server.StartAsync();
                    await PauseAsync(random);
                }

                server.FreeSpace();
            }
        }
        while (TimeProvider.System.GetElapsedTime(began) < time);
        _isOver = true;
    }

    private Task PauseAsync(Random random) => Task.Delay(TimeSpan.FromMilliseconds(random.Next(200, 3000)), TimeProvider.System, _failed.Token);

    private async Task EndAsync(SoakServer server, FinishedUploads finished, ServerFault how)
    {
        _counts.Add(how.ToString());
        await server.EndAsync(how);
        finished.Verify();
    }

    private async Task SendAsync(SoakServer server, FinishedUploads finished)
    {
        while (!_isOver)
        {
            int number = Interlocked.Increment(ref _next);
            string protocol = Protocols[number % Protocols.Length];
            string name = $"{protocol}-{number}-.bin";
            var random = new Random(unchecked((seed * 31) + number));
            byte[] content = NetworkRuns.ContentOf(random);
            Sender sender = Sender.Of(protocol, server, name, content, random, _counts);
            try
            {
                if (await SendAsync(server, sender, random.Next()) == Ending.Done)
                {
                    finished.Add(name, content);
                    Interlocked.Add(ref _bytes, content.Length);
                }
                else
                {
                    Interlocked.Increment(ref _refused);
                }

                Interlocked.Increment(ref _uploads);
            }
            catch (NetworkTestException e)
            {
                throw new NetworkTestException($"{protocol}, upload {name} of {content.Length} bytes: {e.Message}");
            }
        }
    }

    private async Task<Ending> SendAsync(SoakServer server, Sender sender, int lineSeed)
    {
        Ending ending;
        await using (var line = new FaultyLine(() => server.Address, lineSeed, _counts))
        {
            ending = await sender.RunAsync(new Http1Wire(line.Address, line), _failed.Token);
        }

        if (ending == Ending.Refused || sender.Key is null)
        {
            return ending;
        }

        long start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < ConclusionTimeout)
        {
            Uri address = await server.ReadyAsync(_failed.Token);
            if (await sender.ConcludeAsync(new Http1Wire(address, null), Timeout) is { IsComplete: true })
            {
                return ending;
            }

            await Task.Delay(BetweenConclusions, TimeProvider.System, _failed.Token);
        }

        throw new NetworkTestException("The server reported all bytes as stored, but the upload never completed.");
    }
}
