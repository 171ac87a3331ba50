using System.Runtime.CompilerServices;
using CsCheck;
using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Model;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    private const int Callers = 3;
    private const int CallsEach = 5;

    [Case]
    public Task Random_histories_agree_with_a_model() => CompareHistoriesAsync(reopens: false);

    [Case(Needs = StoreAbilities.SharesStorage)]
    public Task Random_histories_with_restarts_agree_with_a_model() => CompareHistoriesAsync(reopens: true);

    [Case]
    public Task Calls_made_at_once_are_as_if_made_one_after_the_other() => CompareCallsAtOnceAsync(Store, Store);

    [Case(Needs = StoreAbilities.SharesStorage)]
    public async Task Calls_of_two_stores_made_at_once_are_as_if_made_one_after_the_other()
    {
        IUploadStore other = await OpenAgainAsync();
        await CompareCallsAtOnceAsync(Store, other);
        await CloseAsync(other);
    }

    private Task CompareHistoriesAsync(bool reopens)
    {
        int count = 0;
        bool stages = Store.GetCapability<IStagesAppends>() is not null;

        // One at a time: a history that fails is the whole story. The library shrinks it, and prints what is left with its seed.
        return Task.Run(
            () => Step.Histories(stages, reopens).Sample(
                steps => RunHistory(steps, $"history-{count++}"), iter: Rounds.Of(100), threads: 1, print: steps => string.Join(", ", steps)),
            Token);
    }

    private void RunHistory(Step[] steps, string owner)
    {
        Token.ThrowIfCancellationRequested();
        var run = new HistoryRun(Store, ReopenAsync, owner, Token);
        try
        {
            run.RunAsync(steps).GetAwaiter().GetResult();
        }
        finally
        {
            _store = run.Store;
        }
    }

    private async Task<IUploadStore> ReopenAsync(IUploadStore store)
    {
        await CloseAsync(store);
        return await OpenAgainAsync();
    }

    private async Task CompareCallsAtOnceAsync(IUploadStore first, IUploadStore second)
    {
        int rounds = Rounds.Of(60);
        for (int round = 0; round < rounds; round++)
        {
            var key = new UploadKey("at-once", $"round-{round}");
            var clock = new StrongBox<long>();
            var random = new Random(round);
            ConcurrentCaller[] callers =
                [.. Enumerable.Range(0, Callers).Select(i => new ConcurrentCaller(i % 2 == 0 ? first : second, key, clock, Token))];
            int[][] kinds = [.. callers.Select((_, i) => Enumerable.Range(0, CallsEach).Select(n => i == 0 && n == 0 ? 0 : random.Next(10)).ToArray())];
            await AtOnceAsync(Callers, async i =>
            {
                foreach (int kind in kinds[i])
                {
                    await callers[i].CallAsync(kind);
                }

                return true;
            });

            ConcurrentCall[] calls = [.. callers.SelectMany(caller => caller.Calls).OrderBy(call => call.Called)];
            Check.True(
                new Linearization(calls).Exists(),
                $"Round {round}: these answers fit in no order.{Environment.NewLine}{string.Join<ConcurrentCall>(Environment.NewLine, calls)}");
        }
    }
}
