using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Engine.Quotas;

/// <summary>The limits per owner as a client sees them.</summary>
public class OwnerLimitTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Create_beyond_MaxUploadsPerOwner_returns_429(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory, static options => options.Limits.MaxUploadsPerOwner = 2);
        await app.Client.AppendAsync("a", 0, [1], 10).ShouldHaveOffsetAsync(1);
        await app.Client.AppendAsync("b", 0, [1], 10).ShouldHaveOffsetAsync(1);
        using (HttpResponseMessage response = await app.Client.AppendAsync("c", 0, [1], 10))
        {
            Assert.Equal("60", response.Header("Retry-After"));
            await response.ShouldBeProblemAsync(429, Own + "too-many-uploads");
        }

        await app.Client.AppendAsync("a", 1, new byte[9], 10).ShouldHaveOffsetAsync(10, complete: true);
        await app.Client.AppendAsync("c", 0, [1], 10).ShouldHaveOffsetAsync(1);
        await app.Client.AppendAsync("d", 0, [1], 10).ShouldBeProblemAsync(429, Own + "too-many-uploads");
        (await app.Client.DeleteUploadAsync("b")).Dispose();
        await app.Client.AppendAsync("d", 0, [1], 10).ShouldHaveOffsetAsync(1);
    }

    [Fact]
    public async Task MaxUploadsPerOwner_counts_each_owner_separately()
    {
        await using TestApp app = await AppAsync(configure: static options =>
        {
            options.Limits.MaxUploadsPerOwner = 1;
            options.Owner = static context => context.Request.Headers["X-User"];
        });
        await app.Client.AppendAsync("a", 0, [1], 10, ("X-User", "x")).ShouldHaveOffsetAsync(1);
        await app.Client.AppendAsync("b", 0, [1], 10, ("X-User", "x")).ShouldBeProblemAsync(429, Own + "too-many-uploads");
        await app.Client.AppendAsync("b", 0, [1], 10, ("X-User", "y")).ShouldHaveOffsetAsync(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Uploads_beyond_MaxBytesPerOwner_return_413(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory, static options => options.Limits.MaxBytesPerOwner = 100);
        await app.Client.AppendAsync("a", 0, [1], 60).ShouldHaveOffsetAsync(1);
        await app.Client.AppendAsync("b", 0, [1], 41).ShouldBeProblemAsync(413, Own + "owner-quota");
        await app.Client.AppendAsync("b", 0, new byte[41]).ShouldBeProblemAsync(413, Own + "owner-quota");
        await app.Client.AppendAsync("b", 0, Chunked(new byte[41])).ShouldBeProblemAsync(413, Own + "owner-quota", 40);
        Assert.Equal(40, await app.Client.StatusAsync("b"));
        (await app.Client.DeleteUploadAsync("b")).Dispose();
        await app.Client.AppendAsync("b", 0, [1], 40).ShouldHaveOffsetAsync(1);

        // The finished upload counts until it is removed.
        await app.Client.AppendAsync("a", 1, new byte[59], 60).ShouldHaveOffsetAsync(60, complete: true);
        await app.Client.AppendAsync("c", 0, [1], 1).ShouldBeProblemAsync(413, Own + "owner-quota");
        (await app.Client.DeleteUploadAsync("a")).Dispose();
        await app.Client.AppendAsync("c", 0, [1], 60).ShouldHaveOffsetAsync(1);
    }

    [Fact]
    public async Task Rejected_creation_stores_nothing()
    {
        await using TestApp app = await AppAsync(configure: static options => options.Limits.MaxBytesPerOwner = 100);
        await app.Client.AppendAsync("a", 0, new byte[101]).ShouldBeProblemAsync(413, Own + "owner-quota");
        await app.Client.AppendAsync("a", 0, [], 101).ShouldBeProblemAsync(413, Own + "owner-quota");
        Assert.Empty(app.StoredFiles);
    }

    [Fact]
    public async Task Late_upload_length_counts_against_MaxBytesPerOwner()
    {
        await using TestApp app = await AppAsync(configure: static options =>
        {
            options.Limits.MaxBytesPerOwner = 100;
            options.FileId.CompleteOnFullBody = false;
        });
        await app.Client.AppendAsync("a", 0, [1]).ShouldHaveOffsetAsync(1);
        await app.Client.AppendAsync("b", 0, [1]).ShouldHaveOffsetAsync(1);
        await app.Client.AppendAsync("a", 1, [1], 99).ShouldHaveOffsetAsync(2);
        await app.Client.AppendAsync("b", 1, [1], 3).ShouldBeProblemAsync(413, Own + "owner-quota", 1);
        await app.Client.AppendAsync("b", 1, []).ShouldHaveOffsetAsync(1);
    }

    [Fact]
    public async Task Append_beyond_MaxAppendsPerOwner_returns_429()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestApp app = await AppAsync(configure: options =>
        {
            options.Limits.MaxAppendsPerOwner = 1;
            options.OnProgress = (_, _) =>
            {
                started.TrySetResult();
                return Task.CompletedTask;
            };
        });
        var held = new BlockedContent([1, 2], [3]);
        Task<HttpResponseMessage> first = app.Client.AppendAsync("a", 0, held, 3);
        await started.Task;
        using (HttpResponseMessage second = await app.Client.AppendAsync("b", 0, [1], 10))
        {
            Assert.Equal("5", second.Header("Retry-After"));
            await second.ShouldBeProblemAsync(429, Own + "too-many-requests", 0);
        }

        Assert.Equal(0, await app.Client.StatusAsync("b"));
        held.Release();
        await first.ShouldHaveOffsetAsync(3, complete: true);
        await app.Client.AppendAsync("b", 0, [1], 10).ShouldHaveOffsetAsync(1);
    }
}
