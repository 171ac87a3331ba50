using System.Globalization;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Hosting.Dashboard;

/// <summary>The requests of the dashboard.</summary>
internal sealed class DashboardEndpoints(
    IUploadManager manager, IAntiforgery antiforgery, ResumableUploadsDashboardOptions options, DashboardDownloads? downloads, TimeProvider time)
{
    public const string ActionsPath = "/actions";
    public const string StoreFailed = "The store failed. Check the storage; the log has the reason.";

    /// <summary>Responds with a page.</summary>
    public async Task GetPageAsync(HttpContext context)
    {
        DashboardHeaders.Set(context.Response);
        DashboardView view = DashboardView.From(context.Request);
        UploadPage uploads;
        try
        {
            uploads = await manager.ListAsync(view.ToQuery(options.PageSize), context.RequestAborted);
        }
        catch (ArgumentException)
        {
            await WriteProblemAsync(context, StatusCodes.Status400BadRequest, "The link to this page is invalid. Start with the first page.");
            return;
        }
        catch (UploadStoreException)
        {
            await WriteProblemAsync(context, StatusCodes.Status503ServiceUnavailable, StoreFailed);
            return;
        }

        AntiforgeryTokenSet token = antiforgery.GetAndStoreTokens(context);
        DashboardHeaders.Set(context.Response);
        var page = new DashboardPage
        {
            Path = GetPath(context.Request, ""),
            View = view,
            Uploads = uploads,
            Statistics = await manager.GetStatisticsAsync(context.RequestAborted),
            Token = token,
            Now = time.GetUtcNow(),
            HasDownloads = downloads is not null && await downloads.IsAllowedAsync(context),
            Result = DashboardText.Result(context.Request.Query["action"], context.Request.Query["result"]),
        };
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync(page.Render(), context.RequestAborted);
    }

    /// <summary>Performs an action, and redirects to the page that it came from.</summary>
    public async Task PostActionAsync(HttpContext context)
    {
        DashboardHeaders.Set(context.Response);
        try
        {
            if (!context.Request.HasFormContentType || !await antiforgery.IsRequestValidAsync(context))
            {
                await WriteProblemAsync(context, StatusCodes.Status400BadRequest, "The antiforgery token is missing or invalid. Reload the page and try again.");
                return;
            }

            IFormCollection form = await context.Request.ReadFormAsync(context.RequestAborted);
            string? action = form["action"];
            if (await ActAsync(action, form, context.RequestAborted) is not { } status)
            {
                await WriteProblemAsync(context, StatusCodes.Status400BadRequest, "The form is invalid. Reload the page and try again.");
                return;
            }

            context.Response.StatusCode = StatusCodes.Status303SeeOther;
            string path = GetPath(context.Request, ActionsPath);
            context.Response.Headers.Location = (path.Length == 0 ? "/" : path)
                + DashboardView.From(form).ToQueryString(("action", action!), ("result", status.ToString()));
        }
        catch (Exception e) when (e is AntiforgeryValidationException or InvalidDataException or BadHttpRequestException)
        {
            await WriteProblemAsync(context, StatusCodes.Status400BadRequest, "The form is invalid. Reload the page and try again.");
        }
        catch (UploadStoreException)
        {
            await WriteProblemAsync(context, StatusCodes.Status503ServiceUnavailable, StoreFailed);
        }
    }

    /// <summary>Responds with a text.</summary>
    public static Task WriteProblemAsync(HttpContext context, int statusCode, string text)
    {
        context.Response.StatusCode = statusCode;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }

    /// <summary>Performs an action on the upload that the page has shown. An upload that has changed since is not affected.</summary>
    /// <returns>The result, or null if the form is invalid.</returns>
    private async Task<UploadActionStatus?> ActAsync(string? action, IFormCollection form, CancellationToken cancellationToken)
    {
        (string? owner, string? id, string? store) = (form["upload-owner"], form["upload-id"], form["store"]);
        if (!UploadKey.IsValidPart(owner) || !UploadKey.IsValidPart(id) || string.IsNullOrEmpty(store)
            || !DateTimeOffset.TryParse(form["upload-created"], CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out DateTimeOffset created)
            || !Enum.TryParse(form["upload-state"], out ManagedUploadState state))
        {
            return null;
        }

        var key = new UploadKey(owner, id);
        var condition = new UploadActionCondition { Store = store, Created = created, State = state };
        return action switch
        {
            "cancel" => await manager.CancelAsync(key, condition, cancellationToken),
            "retry" => await manager.RetryAsync(key, condition, cancellationToken),
            "discard" => await manager.DiscardAsync(key, condition, cancellationToken),
            _ => null,
        };
    }

    /// <summary>Returns the path of the page, encoded for a URL.</summary>
    private static string GetPath(HttpRequest request, string suffix)
    {
        string path = (request.PathBase + request.Path).ToUriComponent().TrimEnd('/');
        return path[..^suffix.Length];
    }

    /// <summary>Limits the forms of the dashboard, which are small.</summary>
    public sealed class FormSizeLimit : IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => 64 << 10;
    }
}
