using Microsoft.AspNetCore.Builder;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Ownership;

/// <summary>Paths of <c>UseResumableUploads</c> with a common store and scope.</summary>
public sealed class MiddlewareScopeTests : IDisposable
{
    private readonly MemoryUploadStore _store = new();

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData("shared")]
    [InlineData("/two")]
    public async Task Scope_does_not_join_the_uploads_of_two_paths(string scope)
    {
        await using TestApp app = await StartAsync(options => options.Scope = _ => scope);
        foreach (string protocol in new[] { ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf })
        {
            string url = await app.Client.BeginAsync(protocol, "/one", [1, 2, 3], 6);
            Assert.NotEqual("3", (await app.Client.GetOffsetAsync(protocol, url.Replace("/one", "/two", StringComparison.Ordinal))).Offset);
            using HttpResponseMessage done = await app.Client.FinishAsync(protocol, url, 3, [4, 5, 6]);
            Assert.True(done.IsSuccessStatusCode);
        }
    }

    [Fact]
    public async Task Scope_joins_the_hosts_of_one_path()
    {
        await using TestApp app = await StartAsync(static options => options.Scope = static _ => "shared");
        string url = await app.Client.BeginAsync(ProtocolClient.FileId, "/one", [1, 2, 3], 6, ("Host", "a.example"));
        Assert.Equal("3", (await app.Client.GetOffsetAsync(ProtocolClient.FileId, url, ("Host", "b.example"))).Offset);
    }

    [Fact]
    public async Task Limits_per_owner_count_the_uploads_of_all_endpoints_of_a_store()
    {
        await using TestApp app = await StartAsync(static options => options.Limits.MaxUploadsPerOwner = 2);
        int[] statuses = [await BeginAsync(app, "a", "/one"), await BeginAsync(app, "b", "/two"), await BeginAsync(app, "c", "/one"), await BeginAsync(app, "d", "/two")];
        Assert.Equal([200, 200, 429, 429], statuses);
    }

    private static async Task<int> BeginAsync(TestApp app, string fileId, string path)
    {
        using HttpResponseMessage response = await app.Client.AppendAsync(fileId, 0, new ByteArrayContent([1]), 10, path);
        return (int)response.StatusCode;
    }

    private Task<TestApp> StartAsync(Action<ResumableUploadOptions> configure) => TestApp.StartAsync(
        before: app =>
        {
            foreach (string path in new[] { "/one", "/two" })
            {
                app.UseResumableUploads(options =>
                {
                    (options.Store, options.UploadPath, options.StatusPath) = (_store, path, path + "-status");
                    configure(options);
                });
            }
        },
        useUploads: false,
        onTestHost: true);
}
