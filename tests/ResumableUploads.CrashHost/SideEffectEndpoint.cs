using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.Features;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.CrashHost;

/// <summary>An endpoint with resumable uploads at <c>/effects</c> that writes a row for each upload.</summary>
internal static class SideEffectEndpoint
{
    public static void Map(WebApplication app, string directory, CompletionHandler handler)
    {
        var table = new SideEffectTable(directory);
        app.Use((context, next) =>
        {
            CrashPlan.SetFromRequest(context, Path.Combine(directory, "died"));
            context.Response.OnStarting(() =>
            {
                if (context.Response.Headers["X-Upload-Complete"] == "true")
                {
                    CrashPlan.CrashIfRequested("before-answer");
                }

                return Task.CompletedTask;
            });
            return next(context);
        });
        app.MapPost("/effects", async (HttpRequest request, HttpResponse response, CancellationToken stopping) =>
        {
            IResumableUploadFeature upload = request.HttpContext.Features.GetRequiredFeature<IResumableUploadFeature>();
            string key = upload.Key.ToString();
            table.AddRun(key, upload.Attempt, upload.IsRepeat);
            Console.WriteLine($"running {upload.FileName} {upload.Attempt}");
            await handler.WaitForReleaseAsync(stopping);
            string hash = Convert.ToHexString(await SHA256.HashDataAsync(request.Body, stopping));
            CrashPlan.CrashIfRequested("before-effect");
            table.AddEffect(key, hash, upload.Size);
            CrashPlan.CrashIfRequested("after-effect");
            response.Headers.ETag = $"\"{hash}\"";
            return Results.Created($"/effects/{upload.Key.Id}", new { key, hash, upload.Size, upload.Attempt, Environment.ProcessId });
        }).WithResumableUploads(options =>
        {
            options.Store = new CrashingUploadStore(new FileSystemUploadStore(new FileSystemUploadStoreOptions
            {
                Directory = options.Directory!,
                Durability = options.FileSystem.Durability,
                SyncSize = options.FileSystem.SyncSize,
                SyncInterval = options.FileSystem.SyncInterval,
            }));
            options.OnDeadLettered = async (upload, cancellationToken) =>
            {
                string hash = Convert.ToHexString(await upload.ComputeDigestAsync(HashAlgorithmName.SHA256, cancellationToken));
                CrashPlan.CrashIfRequested("before-parked");
                table.AddDeadLettered(upload.Key.ToString(), hash);
            };
        });
    }
}
