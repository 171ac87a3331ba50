using System.Net;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.CrashHost;

/// <summary>
/// Sends the tus request that concatenates parts through the whole pipeline, without a server and on one thread, so that a test can kill the process at each
/// system call. Prints the status code.
/// </summary>
/// <param name="root">The directory of the uploads, which has the parts.</param>
/// <param name="concatenation">The value of <c>Upload-Concat</c>.</param>
/// <param name="metadata">The value of <c>Upload-Metadata</c>.</param>
internal sealed class ConcatenationScenario(string root, string concatenation, string metadata)
{
    public void Run()
    {
        using var thread = new SingleThreadContext();
        thread.Run(SendAsync);
    }

    private async Task SendAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(new StoppedClock());
        await using WebApplication app = builder.Build();
        var handler = new CompletionHandler(root, "");
        app.UseResumableUploads(options =>
        {
            // Several syncs for each part.
            options.Store = OneThread.CreateStore(new FileSystemUploadStoreOptions { Directory = root, SyncSize = 1 << 20 });
            options.Handler.LeaseDuration = TimeSpan.FromMilliseconds(300);
            options.OnCompleted = async (upload, cancellationToken) =>
            {
                // The removal of the parts continues on this thread, and ends before the handler begins. Otherwise, the order of their system calls would
                // depend on how fast the other threads are that the handler waits for.
                await Task.Yield();
                await handler.RunAsync(upload, cancellationToken);
            };
        });
        RequestDelegate pipeline = ((IApplicationBuilder)app).Build();
        var context = new DefaultHttpContext { RequestServices = app.Services, Connection = { RemoteIpAddress = IPAddress.Loopback } };
        context.Request.Method = HttpMethods.Post;
        context.Request.Scheme = "http";
        context.Request.Host = new HostString("127.0.0.1");
        context.Request.Path = "/upload";
        context.Request.ContentLength = 0;
        context.Request.Headers["Tus-Resumable"] = "1.0.0";
        context.Request.Headers["Upload-Concat"] = concatenation;
        context.Request.Headers["Upload-Metadata"] = metadata;

        // The test counts system calls from this one on.
        Directory.CreateDirectory(root + ".begins");
        await pipeline(context);
        Console.WriteLine($"status {context.Response.StatusCode}");
    }
}
