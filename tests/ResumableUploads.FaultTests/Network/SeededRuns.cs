using ResumableUploads.FaultTests.Network.Lines;

namespace ResumableUploads.FaultTests.Network;

/// <summary>Concurrent runs, each with its own seed and name.</summary>
/// <param name="app">The server.</param>
/// <param name="kind">The end of the names.</param>
/// <param name="concurrency">The maximum number of concurrent runs.</param>
/// <param name="counts">Counts the runs.</param>
internal sealed class SeededRuns(NetworkApp app, string kind, int concurrency, FaultCounts counts)
{
    public delegate Task Run(int seed, string name, CancellationToken cancellationToken);

    /// <summary>Returns the first failure with its seed, or null. A failure stops the other runs.</summary>
    public async Task<string?> RunAsync(int runs, int firstSeed, Run run)
    {
        int next = -1;
        string? found = null;
        using var stop = new CancellationTokenSource();
        await Task.WhenAll(Enumerable.Range(0, Math.Min(runs, concurrency)).Select(_ => Task.Run(async () =>
        {
            for (int number; !stop.IsCancellationRequested && (number = Interlocked.Increment(ref next)) < runs;)
            {
                if (await TryAsync(firstSeed + number, run, stop.Token) is { } fault)
                {
                    Interlocked.CompareExchange(ref found, fault, null);
                    await stop.CancelAsync();
                }
            }
        })));
        return found ?? (app.Faults.TryPeek(out string? last) ? last : null);
    }

    private async Task<string?> TryAsync(int seed, Run run, CancellationToken cancellationToken)
    {
        string name = $"seed-{seed}-{kind}";
        try
        {
            await run(seed, name, cancellationToken);
            counts.Add("runs");
            return app.Faults.TryPeek(out string? fault) ? fault : null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e)
        {
            return $"{name}: {e}";
        }
    }
}
