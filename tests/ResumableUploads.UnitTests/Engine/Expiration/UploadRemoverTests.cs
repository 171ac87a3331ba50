using Microsoft.Extensions.Logging.Abstractions;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Concatenation;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Expiration;

public class UploadRemoverTests
{
    [Fact]
    public async Task Removed_concatenation_is_no_longer_pending()
    {
        var store = new MemoryUploadStore();
        using var metrics = new UploadMetrics(null);
        var quota = new OwnerQuota(store, new OwnerUsageTable(), TestSettings.Default, TimeProvider.System, default);
        var context = new EngineContext
        {
            Store = store,
            Settings = TestSettings.Default,
            RecordPolicy = new RecordPolicy(TestSettings.Default, TimeProvider.System, NullLogger.Instance),
            RecordUpdater = new RecordUpdater(store, quota, TimeProvider.System),
            Takeover = new UploadTakeover(store, TestSettings.Default),
            Quota = quota,
            EarlyVisits = new EarlyVisits(TimeProvider.System),
            ContentHasher = new ContentHasher(store),
            Metrics = metrics,
            Time = TimeProvider.System,
            Logger = NullLogger.Instance,
            Stopping = default,
        };
        var pending = new PendingConcatenations();
        UploadInfo info = (await store.CreateAsync(new UploadKey("owner", "whole"), new UploadRecord(), default)).Info!;
        pending.Add(info.Key, [new UploadKey("owner", "part")]);
        Assert.True(await new UploadRemover(context, pending).RemoveAsync(info, ignoreVersion: false, default));
        Assert.Equal((0, 0), pending.Count);
    }
}
