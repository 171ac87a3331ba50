using System.Collections.Concurrent;
using System.Globalization;

namespace ResumableUploads.FaultTests.Fuzz;

/// <summary>Runs rounds of random requests and shrinks a set that leads to a fault.</summary>
/// <param name="protocol">The protocol.</param>
/// <param name="onEndpoint">Whether uploads go to an endpoint of the app. Otherwise they go to a mapped path.</param>
/// <param name="handler">The work of the completion handler, or null for none.</param>
internal sealed class Fuzzer(FuzzProtocol protocol, bool onEndpoint, Func<Task>? handler = null)
{
    private const int RoundLength = 250;
    private const int MaxTries = 300;

    /// <summary>Gets the number of requests of a test, from the environment variable below or 50,000.</summary>
    public static int Requests { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("FUZZ_REQUESTS"), NumberStyles.None, CultureInfo.InvariantCulture, out int requests) ? requests : 50_000;

    /// <summary>Gets how often each status code was returned.</summary>
    public ConcurrentDictionary<int, int> StatusCounts { get; } = new();

    /// <summary>Returns the fault with everything needed to repeat it, or null.</summary>
    public async Task<string?> RunAsync(int requests, int firstSeed)
    {
        int rounds = (requests + RoundLength - 1) / RoundLength;
        int workers = Math.Min(rounds, Environment.ProcessorCount);
        int next = -1;
        string? found = null;
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
        {
            await using FuzzApp app = await FuzzApp.StartAsync(protocol, onEndpoint, handler);
            for (int round; found is null && (round = Interlocked.Increment(ref next)) < rounds;)
            {
                FuzzRequest[] set = SetOf(firstSeed + round);
                if (await new FuzzRound(app, protocol, StatusCounts).RunAsync(set) is { } fault)
                {
                    Interlocked.CompareExchange(ref found, await DescribeAsync(firstSeed + round, set, fault), null);
                }
            }
        })));
        return found;
    }

    private FuzzRequest[] SetOf(int seed)
    {
        var random = new Random(seed);
        var makers = new List<int>();
        return [.. Enumerable.Range(0, RoundLength).Select(number => protocol.Next(random, number, makers))];
    }

    private async Task<string> DescribeAsync(int seed, FuzzRequest[] set, string fault)
    {
        (FuzzRequest[] few, string? again) = await ShrinkAsync(set);
        return $"Seed {seed}: {again ?? fault + " (not the same a second time)"}\n{string.Join('\n', few)}";
    }

    /// <summary>Leaves out requests, fewer each time, as long as the rest still leads to a fault.</summary>
    private async Task<(FuzzRequest[] Requests, string? Fault)> ShrinkAsync(FuzzRequest[] set)
    {
        string? fault = await TryAsync(set);
        if (fault is null)
        {
            return (set, null);
        }

        int tries = 0;
        for (int size = set.Length / 2; size > 0; size /= 2)
        {
            for (int at = 0; at < set.Length && tries < MaxTries; tries++)
            {
                FuzzRequest[] fewer = [.. set.Take(at), .. set.Skip(at + size)];
                if (fewer.Length > 0 && await TryAsync(fewer) is { } still)
                {
                    (set, fault) = (fewer, still);
                }
                else
                {
                    at += size;
                }
            }
        }

        return (set, fault);
    }

    private async Task<string?> TryAsync(FuzzRequest[] set)
    {
        await using FuzzApp app = await FuzzApp.StartAsync(protocol, onEndpoint, handler);
        return await new FuzzRound(app, protocol, StatusCounts).RunAsync(set);
    }
}
