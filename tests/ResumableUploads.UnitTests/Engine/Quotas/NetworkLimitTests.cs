using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HttpOverrides;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Engine.Quotas;

/// <summary>The limits of anonymous clients that share an owner, which are counted per network.</summary>
public class NetworkLimitTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", false)]
    [InlineData("192.0.2.1", "192.0.2.2", true)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", false)]
    [InlineData("2001:db8:1:2::3", "2001:db8:1:2:ffff::4", false)]
    [InlineData("2001:db8:1:2::3", "2001:db8:1:3::3", true)]
    public async Task Client_that_uses_up_its_quota_stops_only_its_network(string first, string second, bool isAccepted)
    {
        await using TestApp app = await StartAsync(options => options.Limits.MaxUploadsPerOwner = 2);
        await AppendAsync(app, "a", 0, first).ShouldHaveOffsetAsync(1);
        await AppendAsync(app, "b", 0, first).ShouldHaveOffsetAsync(1);
        await AppendAsync(app, "c", 0, first).ShouldBeProblemAsync(429, Own + "too-many-uploads");
        using HttpResponseMessage response = await AppendAsync(app, "c", 0, second);
        Assert.Equal(isAccepted ? 200 : 429, (int)response.StatusCode);
    }

    [Fact]
    public async Task Client_continues_its_upload_from_another_network()
    {
        await using TestApp app = await StartAsync(options => options.Limits.MaxUploadsPerOwner = 1);
        await AppendAsync(app, "a", 0, "192.0.2.1").ShouldHaveOffsetAsync(1);
        await AppendAsync(app, "b", 0, "192.0.2.2").ShouldHaveOffsetAsync(1);
        await AppendAsync(app, "a", 1, "192.0.2.2").ShouldHaveOffsetAsync(2);
        await AppendAsync(app, "c", 0, "192.0.2.1").ShouldBeProblemAsync(429, Own + "too-many-uploads");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Networks_are_counted_after_a_restart(bool inMemory)
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        IUploadStore? store = inMemory ? new MemoryUploadStore() : null;
        try
        {
            await using (TestApp app = await StartAsync(Configure))
            {
                await AppendAsync(app, "a", 0, "192.0.2.1").ShouldHaveOffsetAsync(1);
            }

            await using TestApp next = await StartAsync(Configure);
            await AppendAsync(next, "b", 0, "192.0.2.1").ShouldBeProblemAsync(429, Own + "too-many-uploads");
            await AppendAsync(next, "b", 0, "192.0.2.2").ShouldHaveOffsetAsync(1);
            await AppendAsync(next, "c", 0, "192.0.2.2").ShouldBeProblemAsync(429, Own + "too-many-uploads");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        void Configure(ResumableUploadOptions options)
        {
            options.Limits.MaxUploadsPerOwner = 1;
            options.Directory = directory;
            options.Store = store;
        }
    }

    [Fact]
    public async Task All_networks_together_have_a_limit_too()
    {
        await using TestApp app = await StartAsync(static options => (options.Limits.MaxUploadsPerOwner, options.Limits.AnonymousTotalFactor) = (1, 3));
        for (int i = 1; i <= 3; i++)
        {
            await AppendAsync(app, $"f{i}", 0, $"192.0.2.{i}").ShouldHaveOffsetAsync(1);
        }

        await AppendAsync(app, "f4", 0, "192.0.2.4").ShouldBeProblemAsync(429, Own + "too-many-uploads");
    }

    [Fact]
    public async Task Slow_requests_of_one_network_do_not_stop_another()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestApp app = await StartAsync(options =>
        {
            options.Limits.MaxAppendsPerOwner = 1;
            options.OnProgress = (_, _) =>
            {
                started.TrySetResult();
                return Task.CompletedTask;
            };
        });
        var held = new BlockedContent([1, 2], [3]);
        Task<HttpResponseMessage> first = app.Client.AppendAsync("a", 0, held, 3, "/upload", ("X-Forwarded-For", "192.0.2.1"));
        await started.Task;
        await AppendAsync(app, "b", 0, "192.0.2.1").ShouldBeProblemAsync(429, Own + "too-many-requests", 0);
        await AppendAsync(app, "b", 0, "192.0.2.2").ShouldHaveOffsetAsync(1);
        held.Release();
        await first.ShouldHaveOffsetAsync(3, complete: true);
        await AppendAsync(app, "c", 0, "192.0.2.1").ShouldHaveOffsetAsync(1);
    }

    [Fact]
    public async Task Owner_that_is_not_shared_has_one_quota_in_all_networks()
    {
        await using TestApp app = await StartAsync(static options =>
        {
            options.Limits.MaxUploadsPerOwner = 1;
            options.Owner = static _ => "user";
        });
        await AppendAsync(app, "a", 0, "192.0.2.1").ShouldHaveOffsetAsync(1);
        await AppendAsync(app, "b", 0, "192.0.2.2").ShouldBeProblemAsync(429, Own + "too-many-uploads");
    }

    [Fact]
    public async Task Record_contains_no_address()
    {
        var store = new MemoryUploadStore();
        await using TestApp app = await StartAsync(options => options.Store = store);
        await AppendAsync(app, "a", 0, "192.0.2.1").ShouldHaveOffsetAsync(1);
        UploadInfo info = Assert.Single(await store.ListAsync(new UploadQuery(), default).ToListAsync());
        string record = System.Text.Encoding.UTF8.GetString(info.Record.Data.Span);
        Assert.Contains("\"network\":", record, StringComparison.Ordinal);
        Assert.DoesNotContain("192.0.2.1", record, StringComparison.Ordinal);
    }

    private static Task<HttpResponseMessage> AppendAsync(TestApp app, string fileId, long offset, string address) =>
        app.Client.AppendAsync(fileId, offset, [1], 10, ("X-Forwarded-For", address));

    private static Task<TestApp> StartAsync(Action<ResumableUploadOptions> configure) => TestApp.StartAsync(
        configure,
        before: static app =>
        {
            // TestHost has no addresses, so that the middleware would not trust the header.
            app.Use((context, next) =>
            {
                context.Connection.RemoteIpAddress = IPAddress.Loopback;
                return next(context);
            });
            app.UseForwardedHeaders(new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor });
        },
        onTestHost: true);
}
