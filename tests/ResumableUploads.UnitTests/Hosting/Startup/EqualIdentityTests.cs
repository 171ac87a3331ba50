using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Startup;

/// <summary>Endpoints whose uploads could not be distinguished after a restart with the endpoints in another order.</summary>
public sealed class EqualIdentityTests : IDisposable
{
    private readonly MemoryUploadStore _store = new();
    private readonly MemoryUploadStore _otherStore = new();

    public void Dispose()
    {
        _store.Dispose();
        _otherStore.Dispose();
    }

    [Theory]
    [InlineData("middleware", "AddResumableUploads(\"name\"")]
    [InlineData("mapped", "WithName()")]
    [InlineData("endpoint", "WithName()")]
    [InlineData("endpoint with own options", "WithName()")]
    public async Task Endpoints_with_equal_identities_fail_start(string kind, string remedy)
    {
        InvalidOperationException thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(kind, _store, _store));
        Assert.Contains(remedy, thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mapped")]
    [InlineData("endpoint")]
    [InlineData("endpoint with own options")]
    public async Task Endpoints_with_different_names_start(string kind)
    {
        await using TestApp app = await StartAsync(kind, _store, _store, "one", "two");
    }

    [Theory]
    [InlineData("middleware")]
    [InlineData("mapped")]
    public async Task Endpoints_with_different_stores_start(string kind)
    {
        await using TestApp app = await StartAsync(kind, _store, _otherStore);
    }

    /// <summary>An app without <c>AddResumableUploads()</c> cannot fail at start, because its endpoints are built by the first request.</summary>
    [Fact]
    public async Task Equal_identities_without_services_fail_every_request_and_no_sweep_runs()
    {
        await using TestApp app = await TestApp.StartAsync(
            after: app =>
            {
                app.MapResumableUploads("/upload", options => options.Store = _store);
                app.MapResumableUploads("/upload", options => options.Store = _store);
            },
            useUploads: false,
            onTestHost: true);
        InvalidOperationException thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => app.Client.AppendAsync("f", 0, new byte[1], 1));
        Assert.Contains("WithName()", thrown.Message, StringComparison.Ordinal);
        Assert.Contains(app.Log.Lines, static line => line.StartsWith("Critical", StringComparison.Ordinal) && line.Contains("WithName()", StringComparison.Ordinal));
        Assert.Empty(UploadDispatcherFactory.FindSharedServices(app.Services)!.RunningSweepers);
    }

    /// <param name="name">The name of the options, or <see langword="null"/> for the default options.</param>
    [Theory]
    [InlineData(null)]
    [InlineData("videos")]
    public async Task Branches_with_the_same_options_have_one_engine(string? name)
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var store = new MemoryUploadStore(timeProvider: time);
        var runs = new ConcurrentQueue<int>();
        await using TestApp app = await TestApp.StartAsync(
            services: builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(time);
                builder.Services.AddResumableUploads(name ?? "", options => (options.Store, options.OnCompleted) = (store, (upload, _) =>
                {
                    runs.Enqueue(upload.Attempt);
                    return upload.IsRepeat ? Task.CompletedTask : throw new InvalidOperationException("The first attempt fails.");
                }));
            },
            before: app =>
            {
                foreach (string branch in (string[])["/a", "/b", "/c"])
                {
                    app.Map(branch, branch => _ = name is null ? branch.UseResumableUploads() : branch.UseResumableUploads(name));
                }
            },
            useUploads: false,
            onTestHost: true);
        Assert.Single(Assert.Single(UploadDispatcherFactory.FindSharedServices(app.Services)!.ManagedStores).Engines);
        Assert.Equal(name is null ? 1 : 0, app.Log.Lines.Count(static line => line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains("UseResumableUploads(\"name\")", StringComparison.Ordinal)));
        using HttpResponseMessage failed = await app.Client.AppendAsync("f", 0, new ByteArrayContent([1]), 1, "/b/upload");
        Assert.Equal(503, (int)failed.StatusCode);
        await Eventually.TrueAsync(() => runs.Count >= 2, "the handler ran again", () => time.Advance(TimeSpan.FromMinutes(1)));
        Assert.Equal([1, 2], runs);
    }

    private static Task<TestApp> StartAsync(string kind, IUploadStore first, IUploadStore second, string? firstName = null, string? secondName = null) => EndpointApp.StartAsync(
        app =>
        {
            foreach ((IUploadStore store, string? name) in new[] { (first, firstName), (second, secondName) })
            {
                void Configure(ResumableUploadOptions options) => options.Store = store;
                if (kind == "middleware")
                {
                    app.UseWhen(static _ => true, branch => branch.UseResumableUploads(Configure));
                    continue;
                }

                IEndpointConventionBuilder endpoint = kind switch
                {
                    "mapped" => app.MapResumableUploads("/upload", Configure),
                    "endpoint" => app.MapPost("/upload", static () => "").WithResumableUploads(),
                    _ => app.MapPost("/upload", static () => "").WithResumableUploads(Configure),
                };
                _ = name is null ? endpoint : endpoint.WithName(name);
            }
        },
        options => options.Store = first,
        onTestHost: true);
}
