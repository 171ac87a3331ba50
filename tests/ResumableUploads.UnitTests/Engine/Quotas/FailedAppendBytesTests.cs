using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Engine.Quotas;

/// <summary>The bytes that a failed append to an upload of unknown length has stored count against the quota.</summary>
public class FailedAppendBytesTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bytes_that_a_failed_append_has_stored_count(bool knowsOffset)
    {
        var store = new FailingStore(new MemoryUploadStore());
        await using TestApp app = await StartAsync(store);
        await app.Client.AppendAsync("f", 0, new byte[10]).ShouldHaveOffsetAsync(10);
        store.AfterAppend = offset => throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.", knowsOffset ? offset : null);
        using (HttpResponseMessage failed = await app.Client.AppendAsync("f", 10, new byte[60]))
        {
            Assert.Equal(503, (int)failed.StatusCode);
        }

        store.AfterAppend = null;
        await app.Client.AppendAsync("g", 0, new byte[31]).ShouldBeProblemAsync(413, ProblemExpectations.Own + "owner-quota");
        Assert.Equal(70, await app.Client.StatusAsync("f"));
    }

    [Fact]
    public async Task Bytes_of_an_append_with_unknown_result_are_counted_again()
    {
        var store = new FailingStore(new MemoryUploadStore());
        await using TestApp app = await StartAsync(store);
        await app.Client.AppendAsync("f", 0, new byte[10]).ShouldHaveOffsetAsync(10);
        store.AfterAppend = _ =>
        {
            store.CannotBeRead = true;
            throw new InvalidOperationException("bug");
        };
        await Assert.ThrowsAnyAsync<Exception>(() => app.Client.AppendAsync("f", 10, new byte[60]));
        (store.AfterAppend, store.CannotBeRead) = (null, false);
        await Eventually.TrueAsync(
            async () =>
            {
                using HttpResponseMessage response = await app.Client.AppendAsync("g", 0, new byte[1], 31);
                (await app.Client.DeleteUploadAsync("g")).Dispose();
                return (int)response.StatusCode == 413;
            },
            "the stored bytes are counted");
    }

    private static Task<TestApp> StartAsync(IUploadStore store) => TestApp.StartAsync(
        options =>
        {
            options.Store = store;
            options.Limits.MaxBytesPerOwner = 100;
            options.FileId.CompleteOnFullBody = false;
        },
        onTestHost: true);

    /// <summary>A store whose appends fail after they have stored all bytes.</summary>
    private sealed class FailingStore(IUploadStore inner) : DelegatingUploadStore(inner)
    {
        public Action<long>? AfterAppend { get; set; }

        public bool CannotBeRead { get; set; }

        public override async ValueTask<AppendResult> AppendAsync(
            UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
        {
            AppendResult result = await base.AppendAsync(key, offset, content, mode, cancellationToken);
            AfterAppend?.Invoke(result.Offset);
            return result;
        }

        public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
            CannotBeRead ? throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.") : base.GetAsync(key, cancellationToken);
    }
}
