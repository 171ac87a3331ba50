using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Engine.Quotas;

/// <summary>The bytes that an owner has in the store, whatever the state of the upload.</summary>
public class StoredBytesTests
{
    private static readonly (string, string) Partial = ("Upload-Concat", "partial");

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Finished_uploads_cannot_exceed_MaxBytesPerOwner(bool inMemory, bool hasHandler)
    {
        await using TestApp app = await AppAsync(inMemory, options =>
        {
            options.Limits.MaxBytesPerOwner = 100;
            options.OnCompleted = hasHandler ? options.OnCompleted : null;
        });
        await app.Client.AppendAsync("a", 0, new byte[60], 60).ShouldHaveOffsetAsync(60, complete: true);
        await app.Client.AppendAsync("b", 0, new byte[41], 41).ShouldBeProblemAsync(413, Own + "owner-quota");
        await app.Client.AppendAsync("b", 0, Chunked(new byte[41])).ShouldBeProblemAsync(413, Own + "owner-quota", 40);
        (await app.Client.DeleteUploadAsync("b")).Dispose();
        await app.Client.AppendAsync("b", 0, Chunked(new byte[40])).ShouldHaveOffsetAsync(40, complete: true);
        (await app.Client.DeleteUploadAsync("a")).Dispose();
        await app.Client.AppendAsync("c", 0, new byte[60], 60).ShouldHaveOffsetAsync(60, complete: true);
    }

    [Fact]
    public async Task Moved_content_does_not_count_also_after_a_restart()
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            await using (TestApp app = await AppAsync(configure: Configure))
            {
                for (int i = 0; i < 3; i++)
                {
                    await app.Client.AppendAsync($"moved{i}", 0, new byte[60], 60).ShouldHaveOffsetAsync(60, complete: true);
                }

                await app.Client.AppendAsync("kept", 0, new byte[50], 50).ShouldHaveOffsetAsync(50, complete: true);
            }

            await using TestApp next = await AppAsync(configure: Configure);
            await next.Client.AppendAsync("kept2", 0, new byte[51], 51).ShouldBeProblemAsync(413, Own + "owner-quota");
            await next.Client.AppendAsync("kept2", 0, new byte[50], 50).ShouldHaveOffsetAsync(50, complete: true);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        void Configure(ResumableUploadOptions options)
        {
            options.Directory = Path.Combine(directory, "uploads");
            options.Limits.MaxBytesPerOwner = 100;
            options.OnCompleted = (upload, cancellationToken) =>
                upload.Size == 60 ? upload.MoveToDirectoryAsync(Path.Combine(directory, "inbox"), cancellationToken) : Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Concatenation_reserves_its_result()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, static options => options.Limits.MaxBytesPerOwner = 100);
        string part = await app.Client.CreateAsync(TusApp.Url, 10, Partial);
        using HttpResponseMessage chunk = await app.Client.AppendChunkAsync(part, 0, new byte[10]);
        string tenTimes = string.Join(' ', Enumerable.Repeat(part, 10));
        Assert.Equal(413, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{tenTimes}")).StatusOfAsync());
        Assert.Equal(201, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{tenTimes[..^(part.Length + 1)]}")).StatusOfAsync());

        // The part was removed and its bytes were released; the result of 90 bytes counts.
        Assert.Equal(413, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "11")).StatusOfAsync());
        Assert.Equal(201, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "10")).StatusOfAsync());
    }

    [Fact]
    public async Task Concurrent_appends_of_unknown_length_stay_within_the_quota()
    {
        const int Appends = 40;
        var store = new MemoryUploadStore();
        await using TestApp app = await AppAsync(configure: options =>
        {
            options.Store = store;
            options.Limits.MaxBytesPerOwner = 100;
            options.FileId.CompleteOnFullBody = false;
        });
        BlockedBody[] bodies = [.. Enumerable.Range(0, Appends).Select(static _ => new BlockedBody(new byte[60]))];
        Task<HttpResponseMessage>[] requests = [.. bodies.Select((body, i) => app.Client.AppendAsync($"f{i}", 0, body))];

        // All of them run before the first byte is sent.
        await Eventually.TrueAsync(async () => await store.ListAsync(new UploadQuery(), default).CountAsync() == Appends, "all uploads are created");
        foreach (BlockedBody body in bodies)
        {
            body.Release();
        }

        int[] statuses = [.. (await Task.WhenAll(requests)).Select(static response => (int)response.StatusCode).Order()];
        Assert.Equal(100, (await store.ListAsync(new UploadQuery(), default).ToListAsync()).Sum(static info => info.Offset));
        Assert.Equal((200, 413, 413), (statuses[0], statuses[1], statuses[^1]));
    }

    [Fact]
    public async Task Bodies_of_unknown_upload_length_are_reserved_before_they_are_read()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestApp app = await AppAsync(configure: options =>
        {
            options.Limits.MaxBytesPerOwner = 100;
            options.FileId.CompleteOnFullBody = false;
            options.OnProgress = (_, _) =>
            {
                started.TrySetResult();
                return Task.CompletedTask;
            };
        });
        var held = new BlockedContent([1], new byte[59]);
        Task<HttpResponseMessage> first = app.Client.AppendAsync("a", 0, held);
        await started.Task;
        await app.Client.AppendAsync("b", 0, new byte[41]).ShouldBeProblemAsync(413, Own + "owner-quota");
        await app.Client.AppendAsync("b", 0, new byte[40]).ShouldHaveOffsetAsync(40);
        held.Release();
        await first.ShouldHaveOffsetAsync(60);
    }

    /// <summary>A body of unknown length that is sent when it is released.</summary>
    private sealed class BlockedBody(byte[] bytes) : HttpContent
    {
        private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release() => _release.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            await stream.FlushAsync();
            await _release.Task;
            await stream.WriteAsync(bytes);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
