using System.Globalization;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Hosting.Interim;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Hosting.Interim;

/// <summary>An upload that announces itself and reports progress after each read.</summary>
internal static class InterimUpload
{
    private const string Location = "/upload/1";

    public static InterimResponse Announcement { get; } = InterimResponse.TryCreate(("Location", Location))!;

    public static InterimResponse Progress(long offset) =>
        InterimResponse.TryCreate(("Upload-Offset", offset.ToString(CultureInfo.InvariantCulture)))!;

    /// <summary>Reads the request body, and responds "done", or "none" if interim responses cannot be sent.</summary>
    public static async Task HandleAsync(HttpContext context)
    {
        InterimResponseSender? sender = InterimResponseSender.TryCreate(context);
        await ReadAsync(context, sender, static _ => { });
        string response = sender is null ? "none" : "done";
        context.Response.ContentLength = response.Length;
        await context.Response.WriteAsync(response);
    }

    /// <summary>Reads the request body to its end and sends the interim responses.</summary>
    /// <param name="context">The request.</param>
    /// <param name="sender">The sender of the request, or null.</param>
    /// <param name="onRead">The callback for the bytes of each read.</param>
    /// <param name="location">The location in the announcement.</param>
    /// <param name="every">The number of bytes between two progress reports. If greater than 1, a report may be dropped while another is pending.</param>
    public static async Task ReadAsync(
        HttpContext context, InterimResponseSender? sender, Action<ReadOnlyMemory<byte>> onRead, string location = Location, int every = 1)
    {
        if (sender is not null)
        {
            await sender.SendAsync(InterimResponse.TryCreate(("Location", location))!);
        }

        byte[] buffer = new byte[64 * 1024];
        long reported = 0;
        long total = 0;
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer)) > 0)
        {
            total += read;
            onRead(buffer.AsMemory(0, read));
            if (total - reported >= every)
            {
                reported = total;
                sender?.TryStartSend(Progress(total));
                if (every == 1)
                {
                    await WaitUntilIdleAsync(sender);
                }
            }
        }

        // Draining drops a pending report on HTTP/2.
        await WaitUntilIdleAsync(sender);
        if (sender is not null)
        {
            await sender.DrainAsync();
        }
    }

    /// <summary>Waits until no send is pending.</summary>
    public static async Task WaitUntilIdleAsync(InterimResponseSender? sender)
    {
        if (sender?.IsSending == true)
        {
            await Eventually.TrueAsync(() => !sender.IsSending, "an interim response was sent");
        }
    }
}
