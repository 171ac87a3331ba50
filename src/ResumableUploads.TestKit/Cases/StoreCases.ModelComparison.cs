using System.Runtime.CompilerServices;
using CsCheck;
using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Model;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    private const int Callers = 3;
    private const int CallsPerCaller = 5;

    [Case]
    public Task Random_operation_sequences_match_the_model() => CompareWithModelAsync(reopens: false);

    [Case(Requires = StoreCapabilities.SharedStorage)]
    public Task Random_operation_sequences_with_reopening_match_the_model() => CompareWithModelAsync(reopens: true);

    [Case]
    public Task Concurrent_calls_are_linearizable() => CheckLinearizabilityAsync(Store, Store);

    [Case(Requires = StoreCapabilities.SharedStorage)]
    public async Task Concurrent_calls_of_two_stores_are_linearizable()
    {
        IUploadStore other = await OpenStoreAsync();
        await CheckLinearizabilityAsync(Store, other);
        await DisposeStoreAsync(other);
    }

    private Task CompareWithModelAsync(bool reopens)
    {
        int count = 0;
        bool stages = Store.GetCapability<IStagedAppendStore>() is not null;

        // In one thread, so that a failing sequence reproduces the failure. CsCheck shrinks it and prints it with its seed.
        return Task.Run(
            () => ModelOperation.GenerateSequences(stages, reopens).Sample(
                operations => RunSequence(operations, $"sequence-{count++}"), iter: IterationCount.Scale(100), threads: 1, print: operations => string.Join(", ", operations)),
            Token);
    }

    private void RunSequence(ModelOperation[] operations, string owner)
    {
        Token.ThrowIfCancellationRequested();
        var run = new ModelTestRun(Store, ReopenAsync, owner, Token);
        try
        {
            run.RunAsync(operations).GetAwaiter().GetResult();
        }
        finally
        {
            _store = run.Store;
        }
    }

    private async Task<IUploadStore> ReopenAsync(IUploadStore store)
    {
        await DisposeStoreAsync(store);
        return await OpenStoreAsync();
    }

    private async Task CheckLinearizabilityAsync(IUploadStore first, IUploadStore second)
    {
        int rounds = IterationCount.Scale(60);
        for (int round = 0; round < rounds; round++)
        {
            var key = new UploadKey("at-once", $"round-{round}");
            var clock = new StrongBox<long>();
            var random = new Random(round);
            ConcurrentCaller[] callers =
                [.. Enumerable.Range(0, Callers).Select(i => new ConcurrentCaller(i % 2 == 0 ? first : second, key, clock, Token))];
            int[][] kinds = [.. callers.Select((_, i) => Enumerable.Range(0, CallsPerCaller).Select(n => i == 0 && n == 0 ? 0 : random.Next(10)).ToArray())];
            await RunConcurrentlyAsync(Callers, async i =>
            {
                foreach (int kind in kinds[i])
                {
                    await callers[i].CallAsync(kind);
                }

                return true;
            });

            ConcurrentCall[] calls = [.. callers.SelectMany(caller => caller.Calls).OrderBy(call => call.InvokedAt)];
            CaseAssert.True(
                new LinearizabilityChecker(calls).IsLinearizable(),
                $"Round {round}: these responses fit in no order.{Environment.NewLine}{string.Join<ConcurrentCall>(Environment.NewLine, calls)}");
        }
    }
}
