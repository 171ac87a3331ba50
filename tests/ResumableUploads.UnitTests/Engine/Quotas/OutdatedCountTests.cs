using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Quotas;

public class OutdatedCountTests
{
    private static readonly EngineSettings Settings = TestSettings.Default with { MaxBytesPerOwner = 100, AnonymousTotalFactor = 10 };
    private readonly MemoryUploadStore _store = new();

    [Fact]
    public async Task Failed_recount_after_an_unknown_result_is_repeated()
    {
        var failing = new FailingListStore(_store);
        var quota = new OwnerQuota(failing, Settings, new FakeTimeProvider(), default);
        ByteReservation reservation = (await quota.ReserveBodyAsync(new QuotaAccount("a"), 30, null, default))!;
        await _store.CreateAsync(new UploadKey("a", "1"), new UploadRecord { Length = 10 }, default);
        failing.Failures = 1;
        reservation.Settle(null);
        await Eventually.TrueAsync(async () => await quota.GetAvailableBytesAsync(new QuotaAccount("a"), default) == 90, "the stored bytes are counted");
        Assert.Equal(0, failing.Failures);
    }

    [Fact]
    public async Task Replaced_upload_of_another_network_makes_no_bytes_available()
    {
        var quota = new OwnerQuota(_store, Settings, new FakeTimeProvider(), default);
        UploadInfo replaced = (await _store.CreateAsync(
            new UploadKey("a", "1"), new UploadRecord { Length = 50, Data = new EngineRecord { Network = "1" }.ToBytes() }, default)).Info!;
        Assert.Null(await quota.ReserveUploadAsync(new QuotaAccount("a", "2"), 100, null, replaced: null, default));
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await quota.ReserveUploadAsync(new QuotaAccount("a", "2"), 10, null, replaced, default));
        Assert.Null(await quota.ReserveUploadAsync(new QuotaAccount("a", "1"), 100, null, replaced, default));
    }

    private sealed class FailingListStore(IUploadStore inner) : DelegatingUploadStore(inner)
    {
        public int Failures { get; set; }

        public override async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            if (Failures > 0)
            {
                Failures--;
                throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
            }

            await foreach (UploadInfo info in InnerStore.ListAsync(query, cancellationToken))
            {
                yield return info;
            }
        }
    }
}
