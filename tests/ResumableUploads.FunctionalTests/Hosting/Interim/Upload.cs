using System.Globalization;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Hosting.Interim;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Hosting.Interim;

/// <summary>An upload of the tests: it announces itself, and tells after each read how many bytes it has.</summary>
internal static class Upload
{
    private const string Location = "/upload/1";

    public static InterimResponse Announcement { get; } = InterimResponse.TryCreate(("Location", Location))!;

    public static InterimResponse Progress(long offset) =>
        InterimResponse.TryCreate(("Upload-Offset", offset.ToString(CultureInfo.InvariantCulture)))!;

    /// <summary>Takes a body, and answers "done", or "none" where there are no interim responses.</summary>
    public static async Task TakeAsync(HttpContext context)
    {
        InterimResponseSender? sender = InterimResponseSender.TryCreate(context);
        await ReadAsync(context, sender, static _ => { });
        string answer = sender is null ? "none" : "done";
        context.Response.ContentLength = answer.Length;
        await context.Response.WriteAsync(answer);
    }

    /// <summary>Reads a body to its end, with all its interim responses.</summary>
    /// <param name="context">The request.</param>
    /// <param name="sender">Its sender, if it has one.</param>
    /// <param name="take">Gets each piece of the body.</param>
    /// <param name="location">What the announcement says.</param>
    /// <param name="every">After how many bytes progress is told; then it may be told while more is read, and dropped.</param>
    public static async Task ReadAsync(
        HttpContext context, InterimResponseSender? sender, Action<ReadOnlyMemory<byte>> take, string location = Location, int every = 1)
    {
        if (sender is not null)
        {
            await sender.SendAsync(InterimResponse.TryCreate(("Location", location))!);
        }

        byte[] buffer = new byte[64 * 1024];
        long told = 0;
        long total = 0;
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer)) > 0)
        {
            total += read;
            take(buffer.AsMemory(0, read));
            if (total - told >= every)
            {
                told = total;
                sender?.TryStartSend(Progress(total));
                if (every == 1)
                {
                    await IdleAsync(sender);
                }
            }
        }

        // What was posted first is never dropped. On HTTP/2 what waits for its turn would be.
        await IdleAsync(sender);
        if (sender is not null)
        {
            await sender.DrainAsync();
        }
    }

    /// <summary>Waits until nothing is under way.</summary>
    public static async Task IdleAsync(InterimResponseSender? sender)
    {
        if (sender?.IsSending == true)
        {
            await Eventually.TrueAsync(() => !sender.IsSending, "an interim response was sent");
        }
    }
}
