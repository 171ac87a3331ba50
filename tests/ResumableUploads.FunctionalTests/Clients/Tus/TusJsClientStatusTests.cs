using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>tus-js-client sends the whole file again after most failures of HEAD. A failure that passes must not cause that.</summary>
public class TusJsClientStatusTests
{
    [Theory]
    [InlineData("tus-js-client", StoreFailure.Unavailable)]
    [InlineData("tus-js-client", StoreFailure.Full)]
    [InlineData("tus-js-client-next", StoreFailure.Unavailable)]
    public async Task Upload_is_resumed_after_the_store_failed_on_HEAD(string client, StoreFailure failure)
    {
        var store = new FailingHeadStore(failure);
        await using TusApp app = await TusApp.StartAsync(
            TusApp.ReadyMade,
            options => (options.UploadPath, options.Store) = ("/upload", store),
            services: static builder => builder.Services.AddHttpContextAccessor(),
            onKestrel: true);
        using var file = new SourceFile("resumed.bin", 5_000_000);
        await using NodeClient sender = await NodeClient.StartAsync(client, "resumed", app.Address, seed: 0, file);
        await sender.EndAsync();
        Assert.Equal(["POST - 201", "PATCH 0 204", "HEAD - 423", "HEAD - 200", "PATCH 3000000 204"], sender.Responses);
        Assert.Equal(5_000_000, Assert.Single(app.Seen).Content.Length);
    }

    /// <summary>Fails in the first HEAD request.</summary>
    private sealed class FailingHeadStore(StoreFailure failure) : DelegatingUploadStore(new MemoryUploadStore())
    {
        private static readonly HttpContextAccessor Accessor = new();
        private string? _failedRequest;

        public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
        {
            if (Accessor.HttpContext is { Request.Method: "HEAD" } context && (_failedRequest ??= context.TraceIdentifier) == context.TraceIdentifier)
            {
                throw new UploadStoreException(failure, "Injected failure.");
            }

            return base.GetAsync(key, cancellationToken);
        }
    }
}
