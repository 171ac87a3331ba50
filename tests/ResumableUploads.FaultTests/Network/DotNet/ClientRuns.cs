using ResumableUploads.Client;
using ResumableUploads.FaultTests.Network.Lines;

namespace ResumableUploads.FaultTests.Network.DotNet;

/// <summary>Concurrent uploads of the .NET client over faulty connections, each with its own seed.</summary>
/// <param name="app">The server.</param>
/// <param name="protocol">The upload protocol.</param>
/// <param name="counts">Counts the events.</param>
internal sealed class ClientRuns(NetworkApp app, Client.UploadProtocol protocol, FaultCounts counts)
{
    private const int SideBySide = 32;
    private const int MaxRetries = 500;
    private const int HeaderLength = 400;

    /// <summary>Returns the first failure with its seed, or null.</summary>
    public Task<string?> RunAsync(int runs, int firstSeed) => new SeededRuns(app, $"client-{protocol}", SideBySide, counts).RunAsync(runs, firstSeed, RunAsync);

    private async Task RunAsync(int seed, string name, CancellationToken cancellationToken)
    {
        var random = new Random(seed);
        byte[] content = NetworkRuns.ContentOf(random);
        app.Expect(name, content);
        bool isBuffered = random.Next(3) == 0;
        var options = new UploadOptions
        {
            Protocol = protocol,
            Id = name,
            FileName = name,
            Length = random.Next(2) == 0 ? content.Length : null,
            ChunkSize = random.Next(2) == 0 ? random.Next((content.Length / 12) + 1, content.Length + 1) : null,
            Digest = random.Next(3) == 0 ? UploadDigest.Sha256 : UploadDigest.None,
            Retry =
            {
                MaxRetries = MaxRetries,
                InitialDelay = TimeSpan.FromMilliseconds(5),
                MaxDelay = TimeSpan.FromMilliseconds(50),
                StallTimeout = TimeSpan.FromMilliseconds(random.Next(300, 600)),
                OnRetry = retry => counts.Add(retry.StatusCode is { } status ? $"retries after {(int)status}" : "retries without response"),
            },
        };
        counts.Add(isBuffered ? "buffered" : "seekable");
        using var stream = isBuffered ? new PieceStream(content, random) : new MemoryStream(content);
        await using var line = new FaultyLine(() => app.Address, seed, counts);
        line.Expect(content.Length + HeaderLength);
        using var httpClient = new HttpClient { BaseAddress = line.Address };
        try
        {
            await new ResumableUploadClient(httpClient).UploadAsync(new Uri(NetworkApp.Path, UriKind.Relative), stream, options, null, cancellationToken);
        }
        catch (UploadException e) when (e.Reason == UploadFailureReason.TooLarge && content.Length > NetworkApp.MaxUploadSize)
        {
            counts.Add("refused");
            return;
        }

        if (content.Length > NetworkApp.MaxUploadSize)
        {
            throw new NetworkTestException($"The server accepted {content.Length} bytes.");
        }

        // The handler compares the digest of what it received with that of the content.
        app.AssertHandlerRanOnce(name);
        counts.Add("completed");
    }
}
