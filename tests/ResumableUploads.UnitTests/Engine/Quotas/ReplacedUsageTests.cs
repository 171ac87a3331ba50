using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Quotas;

public class ReplacedUsageTests
{
    private static readonly EngineSettings Settings = TestSettings.Default with { MaxBytesPerOwner = 100, AnonymousTotalFactor = 10 };
    private readonly MemoryUploadStore _store = new();

    [Fact]
    public async Task Replaced_upload_of_another_network_makes_no_bytes_available()
    {
        var quota = new OwnerQuota(_store, new OwnerUsageTable(), Settings, new FakeTimeProvider(), default);
        UploadInfo replaced = (await _store.CreateAsync(
            new UploadKey("a", "1"), new UploadRecord { Length = 50, Data = new EngineRecord { Network = "1" }.ToBytes() }, default)).Info!;
        Assert.Null(await quota.ReserveUploadAsync(new QuotaAccount("a", "2"), 100));
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await quota.ReserveUploadAsync(new QuotaAccount("a", "2"), 10, null, replaced));
        Assert.Null(await quota.ReserveUploadAsync(new QuotaAccount("a", "1"), 100, null, replaced));
    }
}
