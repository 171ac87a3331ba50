using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Engine.Appending;

/// <summary>What is left of a replacement: quota, temporary uploads, and the old upload if it has changed meanwhile.</summary>
public class ReplacementCleanUpTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Replaced_uploads_do_not_count(bool canReplace)
    {
        var store = new MemoryUploadStore();
        await using TestApp app = await StartAsync(canReplace ? store : new CustomStore(store), static options =>
        {
            options.Limits.MaxUploadsPerOwner = 2;
            options.Limits.MaxBytesPerOwner = 100;
        });
        for (int i = 0; i < 4; i++)
        {
            await app.Client.AppendAsync("f", 0, new byte[10], 40).ShouldHaveOffsetAsync(10);
        }

        await app.Client.AppendAsync("g", 0, new byte[1], 61).ShouldBeProblemAsync(413, ProblemExpectations.Own + "owner-quota");
        await app.Client.AppendAsync("g", 0, new byte[1], 60).ShouldHaveOffsetAsync(1);
        await app.Client.AppendAsync("h", 0, new byte[1], 1).ShouldBeProblemAsync(429, ProblemExpectations.Own + "too-many-uploads");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Upload_that_changes_before_it_is_replaced_is_kept(bool canReplace)
    {
        var store = new MemoryUploadStore();
        bool changes = false;
        await using TestApp app = await StartAsync(canReplace ? store : new CustomStore(store), options => options.OnCreating = async (_, cancellationToken) =>
        {
            // Another process changes the upload after this request has read it.
            if (changes)
            {
                UploadInfo old = await GetSingleAsync(store);
                Assert.Equal(ChangeStatus.Succeeded, (await store.UpdateAsync(old.Key, old.Version, old.Record, cancellationToken)).Status);
            }
        });
        await app.Client.AppendAsync("f", 0, new byte[10], 40).ShouldHaveOffsetAsync(10);
        changes = true;
        await app.Client.AppendAsync("f", 0, new byte[20], 50).ShouldBeProblemAsync(503, ProblemExpectations.Own + "busy");
        UploadInfo kept = await GetSingleAsync(store);
        Assert.Equal((10, 40), (kept.Offset, kept.Length));
    }

    [Fact]
    public async Task Sweep_removes_a_temporary_upload_only_after_an_hour()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(56));
        var store = new MemoryUploadStore(timeProvider: time);
        await using var engine = new TestEngine(store, time);
        ISweepVisitor visitor = engine.Engine.CreateSweepVisitor(engine.Callbacks);
        UploadKey key = UploadReplacement.CreateTemporaryKey(TestEngine.Key);
        UploadInfo info = (await store.CreateAsync(key, new UploadRecord(), default)).Info!;

        time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        await visitor.VisitAsync(info, default);
        Assert.NotNull(await store.GetAsync(key, default));
        time.Advance(TimeSpan.FromTicks(1));
        await visitor.VisitAsync(info, default);
        Assert.Null(await store.GetAsync(key, default));
    }

    private static async Task<UploadInfo> GetSingleAsync(MemoryUploadStore store) =>
        Assert.Single(await store.ListAsync(new UploadQuery(), default).ToListAsync());

    private static Task<TestApp> StartAsync(IUploadStore store, Action<ResumableUploadOptions> configure) => TestApp.StartAsync(
        options =>
        {
            options.Store = store;
            options.FileId.RestartOnZero = true;
            configure(options);
        },
        onTestHost: true);

    /// <summary>A store that cannot replace uploads.</summary>
    private sealed class CustomStore(IUploadStore inner) : DelegatingUploadStore(inner);
}
