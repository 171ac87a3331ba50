using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Network.Lines;
using ResumableUploads.FaultTests.Network.Senders;

namespace ResumableUploads.FaultTests.Network;

/// <summary>Many uploads side by side over lines that break, each from a seed of its own.</summary>
/// <param name="app">The server.</param>
/// <param name="protocol">What is spoken to it.</param>
/// <param name="http">Over what.</param>
/// <param name="counts">What happens is counted there.</param>
/// <param name="salt">With another one the same seed is another run.</param>
internal sealed class NetworkRuns(NetworkApp app, string protocol, HttpProtocols http, FaultCounts counts, int salt = 0)
{
    private const int SideBySide = 16;
    private const int MaxLooks = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);
    private long _bytes;

    /// <summary>By how much a run of the tests is longer than it is without the environment variable.</summary>
    public static int Rounds { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("RESUMABLE_UPLOADS_ROUNDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int rounds) ? Math.Max(1, rounds) : 1;

    /// <summary>The first seed of the tests: one that a failure has named, so that it comes first.</summary>
    public static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("RESUMABLE_UPLOADS_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out int seed) ? seed : 1;

    /// <summary>About the longest run.</summary>
    public (TimeSpan Time, string Name) Longest { get; private set; }

    /// <summary>How many bytes the contents of all runs have.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>What went wrong first, with its seed; null: nothing.</summary>
    public async Task<string?> RunAsync(int runs, int firstSeed)
    {
        int next = -1;
        string? found = null;
        using var stop = new CancellationTokenSource();
        await Task.WhenAll(Enumerable.Range(0, Math.Min(runs, SideBySide)).Select(_ => Task.Run(async () =>
        {
            for (int run; !stop.IsCancellationRequested && (run = Interlocked.Increment(ref next)) < runs;)
            {
                if (await TryAsync(firstSeed + run, stop.Token) is { } fault)
                {
                    Interlocked.CompareExchange(ref found, fault, null);
                    await stop.CancelAsync();
                }
            }
        })));
        return found ?? (app.Faults.TryPeek(out string? of) ? of : null);
    }

    /// <summary>Mostly small contents, some large ones, and a few that are too large.</summary>
    public static byte[] ContentOf(Random random)
    {
        byte[] content = new byte[random.Next(20) switch { < 12 => random.Next(1, 2000), < 16 => random.Next(1, 30_000), < 19 => random.Next(1, NetworkApp.MaxUploadSize), _ => random.Next(1, 300_000) }];
        random.NextBytes(content);
        return content;
    }

    private int Salted(int seed) => unchecked(seed + (salt * 1_000_003));

    private string NameOf(int seed) => $"seed-{seed}-{protocol}";

    private async Task<string?> TryAsync(int seed, CancellationToken cancellationToken)
    {
        try
        {
            long start = Stopwatch.GetTimestamp();
            await RunAsync(seed, cancellationToken);
            Longest = new[] { Longest, (Stopwatch.GetElapsedTime(start), NameOf(seed)) }.Max();
            counts.Add("runs");
            return app.Faults.TryPeek(out string? fault) ? fault : null;
        }
        catch (NetworkFault e)
        {
            return $"{NameOf(seed)}: {e.Message}";
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task RunAsync(int seed, CancellationToken cancellationToken)
    {
        var random = new Random(Salted(seed));
        byte[] content = ContentOf(random);
        Interlocked.Add(ref _bytes, content.Length);
        string name = NameOf(seed);
        app.Expect(name, content);
        Sender sender = Sender.Of(protocol, app, name, content, random, counts);
        Ending ending;
        await using (var line = new FaultyLine(() => app.Address, Salted(seed), counts))
        {
            ending = await sender.RunAsync(WireTo(line.Address, line), cancellationToken);
        }

        counts.Add(ending == Ending.Done ? "completed" : "refused");
        if (sender.Key is not { } key)
        {
            // The client knows of no upload: all was refused, or done, in one request.
            if (ending == Ending.Done)
            {
                app.SeeFinished(name);
            }

            return;
        }

        if (ending == Ending.Done)
        {
            await app.FinishedAsync(key);
        }

        await SeeEndAsync(sender, key, ending, content.Length);
    }

    /// <summary>Asks over a good line, until what was still under way has arrived.</summary>
    private async Task SeeEndAsync(Sender sender, UploadKey key, Ending ending, int length)
    {
        Told? told = null;
        long there = -1;
        for (int look = 0; look < MaxLooks; look++)
        {
            told = await sender.AskAsync(WireTo(app.Address, null), Patience);
            there = (await app.Store.GetAsync(key, CancellationToken.None))?.Offset ?? 0;
            if (told is not null && told.Offset == there && told.IsComplete == (ending == Ending.Done) && (ending == Ending.Refused || there == length))
            {
                await sender.SeePrefixAsync();
                return;
            }

            await Task.Delay(BetweenLooks, TimeProvider.System);
        }

        throw new NetworkFault($"The end is {ending} of {length} bytes: {told} is told, and {there} bytes are there.");
    }

    private IWire WireTo(Uri address, FaultyLine? line) => http == HttpProtocols.Http2 ? new Http2Wire(address, line) : new Http1Wire(address, line);
}
