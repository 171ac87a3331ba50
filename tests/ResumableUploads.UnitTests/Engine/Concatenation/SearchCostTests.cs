using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Concatenation;

/// <summary>How many records are read to find the concatenations that a part completes.</summary>
public sealed class SearchCostTests : IAsyncDisposable
{
    private const int Concatenations = 10;
    private readonly MemoryUploadStore _memory = new();
    private readonly TestEngine _engine;
    private int _reads;

    public SearchCostTests()
    {
        var store = new HookedStore(_memory)
        {
            BeforeGet = _ =>
            {
                Interlocked.Increment(ref _reads);
                return Task.CompletedTask;
            },
        };
        _engine = new TestEngine(store, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        _memory.Dispose();
    }

    [Fact]
    public async Task Empty_append_to_a_received_part_searches_nothing()
    {
        await CreateAsync();
        await _engine.AppendToPartAsync("received", 1, [2], 2);
        _reads = 0;
        Assert.Equal(2, (await _engine.AppendToPartAsync("received", 2, [], 2)).Offset);
        Assert.InRange(_reads, 1, 3);
    }

    [Fact]
    public async Task Last_byte_of_a_part_reads_each_part_once()
    {
        await CreateAsync();
        _reads = 0;
        await _engine.AppendToPartAsync("received", 1, [2], 2);
        Assert.InRange(_reads, Concatenations, Concatenations + 6);
    }

    [Fact]
    public async Task Sweep_reads_each_part_once()
    {
        await CreateAsync();
        List<UploadInfo> listed = await _memory.ListAsync(new UploadQuery(), TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
        for (int sweep = 0; sweep < 2; sweep++)
        {
            _reads = 0;
            foreach (UploadInfo info in listed)
            {
                await _engine.VisitAsync(info);
            }

            _engine.EndSweep();
            Assert.InRange(_reads, Concatenations, Concatenations + 6);
        }
    }

    [Fact]
    public async Task Part_whose_length_is_announced_after_its_last_byte_completes_the_concatenation()
    {
        await AppendAsync("part", 0, [1, 2], null, new ConcatenationInfo("partial", null));
        await _engine.ConcatenateAsync("part");
        Assert.Equal(UploadState.Receiving, (await _engine.GetAsync())!.State);
        await AppendAsync("part", 2, [], 2, null);
        Assert.Equal((UploadState.Completed, 2L), ((await _engine.GetAsync())!.State, (await _engine.GetAsync())!.Offset));
    }

    /// <summary>Creates concatenations that name one part often, and another one that stays open.</summary>
    private async Task CreateAsync()
    {
        await _engine.AppendToPartAsync("received", 0, [1], 2);
        await _engine.AppendToPartAsync("open", 0, [1], 2);
        for (int i = 0; i < Concatenations; i++)
        {
            List<string> parts = [.. Enumerable.Repeat("received", 50), .. Enumerable.Repeat("open", 50)];
            UploadResult created = await AppendAsync($"concatenation{i}", 0, [], null, new ConcatenationInfo("final", parts));
            Assert.Equal(UploadResultKind.Appended, created.Kind);
        }
    }

    private Task<UploadResult> AppendAsync(string id, long offset, byte[] bytes, long? length, ConcatenationInfo? created)
    {
        AppendCommand command = TestEngine.CreateCommand(offset, bytes, length);
        return _engine.Engine.AppendAsync(
            command with
            {
                Key = new UploadKey(TestEngine.Key.Owner, id),
                CreateIfMissing = created is null ? null : command.CreateIfMissing! with { Concatenation = created },
            },
            _engine.Callbacks,
            default).AsTask();
    }
}
