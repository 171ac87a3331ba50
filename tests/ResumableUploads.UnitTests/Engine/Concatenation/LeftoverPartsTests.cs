using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Concatenation;

/// <summary>The removal of parts by sweeps, after the request that completed the concatenation did not remove them.</summary>
public sealed class LeftoverPartsTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly MemoryUploadStore _stored;
    private readonly PartStore _store;
    private readonly TestEngine _engine;

    public LeftoverPartsTests()
    {
        _stored = new MemoryUploadStore(timeProvider: _time);
        _store = new PartStore(_stored);
        _engine = new TestEngine(_store, _time);
    }

    public async ValueTask InitializeAsync()
    {
        _engine.EndSweep();
        await using var other = new TestEngine(new PartStore(_stored) { FailsToDelete = true }, _time);
        await other.AppendToPartAsync("part", 0, [1, 2], 2);
        Assert.Equal(UploadResultKind.Completed, (await other.ConcatenateAsync("part")).Kind);
        Assert.True(await ExistsAsync("part"));
    }

    public async ValueTask DisposeAsync() => await _engine.DisposeAsync();

    [Fact]
    public async Task Parts_of_another_process_are_removed_by_a_sweep_that_is_not_the_first()
    {
        await SweepAsync();
        Assert.False(await ExistsAsync("part"));
    }

    [Fact]
    public async Task Parts_are_searched_once()
    {
        await SweepAsync();
        (int reads, int lists) = (_store.Reads, _store.Lists);
        for (int i = 0; i < 3; i++)
        {
            await SweepAsync();
        }

        Assert.Equal((reads, lists), (_store.Reads, _store.Lists));
        Assert.NotEqual(0, reads);
    }

    [Fact]
    public async Task Failed_removal_is_retried_by_the_next_sweep()
    {
        _store.FailsToDelete = true;
        await _engine.VisitAsync();
        await _engine.VisitAsync();

        // Each attempt lists all uploads of the owner.
        Assert.Equal(1, _store.Lists);
        _store.FailsToDelete = false;
        _engine.EndSweep();
        await SweepAsync();
        Assert.False(await ExistsAsync("part"));
    }

    [Fact]
    public async Task Part_is_kept_while_a_concatenation_cannot_be_read()
    {
        var waiting = new UploadKey("owner", "waiting");
        await _stored.CreateAsync(
            waiting, new UploadRecord { Data = new EngineRecord { Concatenation = new ConcatenationInfo("final", ["part", "other"]) }.ToBytes() }, default);
        _store.Unreadable = waiting;
        await SweepAsync();
        Assert.True(await ExistsAsync("part"));
        Assert.True(_engine.HasLogged(241));

        // The concatenation is removed, or turns out not to need the part.
        _store.Unreadable = null;
        await SweepAsync();
        Assert.True(await ExistsAsync("part"));
    }

    [Fact]
    public async Task Part_is_removed_after_an_unreadable_upload_is_readable_again()
    {
        var unrelated = new UploadKey("owner", "unrelated");
        await _stored.CreateAsync(unrelated, new UploadRecord(), default);
        _store.Unreadable = unrelated;
        await SweepAsync();
        Assert.True(await ExistsAsync("part"));
        _store.Unreadable = null;
        await SweepAsync();
        Assert.False(await ExistsAsync("part"));
    }

    private async Task SweepAsync()
    {
        await _engine.VisitAsync();
        _engine.EndSweep();
    }

    private async Task<bool> ExistsAsync(string id) => await _stored.GetAsync(new UploadKey("owner", id), default) is not null;

    private sealed class PartStore(IUploadStore inner) : DelegatingUploadStore(inner)
    {
        public bool FailsToDelete { get; set; }

        /// <summary>Gets or sets the upload that cannot be read when it is listed.</summary>
        public UploadKey? Unreadable { get; set; }

        public int Reads { get; private set; }

        public int Lists { get; private set; }

        public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
        {
            Reads += key.Id == "part" ? 1 : 0;
            return base.GetAsync(key, cancellationToken);
        }

        public override ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
            FailsToDelete ? throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.") : base.DeleteAsync(key, version, cancellationToken);

        public override async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Lists++;
            await foreach (UploadInfo info in base.ListAsync(query, cancellationToken))
            {
                if (info.Key != Unreadable)
                {
                    yield return info;
                }
                else if (query.IncludeUnreadable)
                {
                    yield return info with { Record = new UploadRecord(), IsUnreadable = true };
                }
            }
        }
    }
}
