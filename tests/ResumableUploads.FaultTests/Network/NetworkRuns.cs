using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Network.Lines;
using ResumableUploads.FaultTests.Network.Senders;

namespace ResumableUploads.FaultTests.Network;

/// <summary>Concurrent uploads over faulty connections, each with its own seed.</summary>
/// <param name="app">The server.</param>
/// <param name="protocol">The upload protocol.</param>
/// <param name="http">The HTTP version.</param>
/// <param name="counts">Counts the events.</param>
/// <param name="salt">Changes the run of a seed.</param>
internal sealed class NetworkRuns(NetworkApp app, string protocol, HttpProtocols http, FaultCounts counts, int salt = 0)
{
    private const int SideBySide = 16;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);
    private long _bytes;

    /// <summary>Gets the factor by which runs are longer, from RESUMABLE_UPLOADS_ROUNDS.</summary>
    public static int Rounds { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("RESUMABLE_UPLOADS_ROUNDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int rounds) ? Math.Max(1, rounds) : 1;

    /// <summary>Gets the first seed. A seed from a failure message is run first.</summary>
    public static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("RESUMABLE_UPLOADS_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out int seed) ? seed : 1;

    /// <summary>Gets a description of the longest run.</summary>
    public (TimeSpan Time, string Name) Longest { get; private set; }

    /// <summary>Gets the total number of content bytes of all runs.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Returns the first failure with its seed, or null.</summary>
    public Task<string?> RunAsync(int runs, int firstSeed) => new SeededRuns(app, protocol, SideBySide, counts).RunAsync(runs, firstSeed, RunAsync);

    /// <summary>Returns mostly small contents, some large ones, and a few that are too large.</summary>
    public static byte[] ContentOf(Random random)
    {
        byte[] content = new byte[random.Next(20) switch { < 12 => random.Next(1, 2000), < 16 => random.Next(1, 30_000), < 19 => random.Next(1, NetworkApp.MaxUploadSize), _ => random.Next(1, 300_000) }];
        random.NextBytes(content);
        return content;
    }

    private int Salted(int seed) => unchecked(seed + (salt * 1_000_003));

    private async Task RunAsync(int seed, string name, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        await UploadAsync(seed, name, cancellationToken);
        Longest = new[] { Longest, (Stopwatch.GetElapsedTime(start), name) }.Max();
    }

    private async Task UploadAsync(int seed, string name, CancellationToken cancellationToken)
    {
        var random = new Random(Salted(seed));
        byte[] content = ContentOf(random);
        Interlocked.Add(ref _bytes, content.Length);
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
            // The client does not know the upload: it was rejected or completed in one request.
            if (ending == Ending.Done)
            {
                app.AssertHandlerRan(name);
            }

            return;
        }

        if (ending == Ending.Done)
        {
            await app.FinishedAsync(key);
        }

        await AssertEndAsync(sender, key, ending, content.Length);
    }

    /// <summary>Requests the status over a connection without faults until pending bytes have arrived, and verifies the end.</summary>
    private async Task AssertEndAsync(Sender sender, UploadKey key, Ending ending, int length)
    {
        ReportedStatus? reported = null;
        long there = -1;
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < EndTimeout)
        {
            reported = await sender.AskAsync(WireTo(app.Address, null), Timeout);
            there = (await app.Store.GetAsync(key, CancellationToken.None))?.Offset ?? 0;
            if (reported is not null && reported.Offset == there && reported.IsComplete == (ending == Ending.Done) && (ending == Ending.Refused || there == length))
            {
                await sender.AssertPrefixAsync();
                return;
            }

            await Task.Delay(BetweenLooks, TimeProvider.System);
        }

        throw new NetworkTestException($"The upload of {length} bytes ended as {ending}: the server reported {reported}, and {there} bytes are stored.");
    }

    private IWire WireTo(Uri address, FaultyLine? line) => http == HttpProtocols.Http2 ? new Http2Wire(address, line) : new Http1Wire(address, line);
}
