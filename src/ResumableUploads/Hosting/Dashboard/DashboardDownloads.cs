using System.Globalization;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Events;

namespace ResumableUploads.Hosting.Dashboard;

/// <summary>
/// The downloads of the dashboard. Checks the policy itself, because endpoint metadata such as that of <c>AllowAnonymous()</c> turns off the authorization middleware.
/// </summary>
internal sealed class DashboardDownloads(IUploadManager manager, string policyName)
{
    public const string ContentPath = "/content";

    /// <summary>Returns the query of the URL of a download.</summary>
    public static string GetQueryString(ManagedUpload upload) => new QueryBuilder
    {
        { "store", upload.Store },
        { "owner", upload.Key.Owner },
        { "id", upload.Key.Id },
        { "created", upload.Created.ToString("O", CultureInfo.InvariantCulture) },
    }.ToString();

    /// <summary>Returns whether the user of a request can download content. Does not change the user of the request.</summary>
    public async Task<bool> IsAllowedAsync(HttpContext context)
    {
        System.Security.Claims.ClaimsPrincipal user = context.User;
        try
        {
            return (await AuthorizeAsync(context, await GetPolicyAsync(context))).Succeeded;
        }
        finally
        {
            context.User = user;
        }
    }

    /// <summary>Responds with the content of an upload if the user satisfies the policy.</summary>
    public async Task GetAsync(HttpContext context)
    {
        AuthorizationPolicy policy = await GetPolicyAsync(context);
        PolicyAuthorizationResult result = await AuthorizeAsync(context, policy);
        await context.RequestServices.GetRequiredService<IAuthorizationMiddlewareResultHandler>().HandleAsync(SendAsync, context, policy, result);
    }

    private static async Task<PolicyAuthorizationResult> AuthorizeAsync(HttpContext context, AuthorizationPolicy policy)
    {
        IPolicyEvaluator evaluator = context.RequestServices.GetRequiredService<IPolicyEvaluator>();
        AuthenticateResult authentication = await evaluator.AuthenticateAsync(policy, context);
        return await evaluator.AuthorizeAsync(policy, authentication, context, context);
    }

    private async Task<AuthorizationPolicy> GetPolicyAsync(HttpContext context) =>
        await context.RequestServices.GetRequiredService<IAuthorizationPolicyProvider>().GetPolicyAsync(policyName)
            ?? throw new InvalidOperationException($"The authorization policy '{policyName}' of the dashboard option DownloadPolicy was not found.");

    private async Task SendAsync(HttpContext context)
    {
        DashboardHeaders.SetForContent(context.Response);
        IQueryCollection query = context.Request.Query;
        (string? owner, string? id, string? store) = (query["owner"], query["id"], query["store"]);
        if (!UploadKey.IsValidPart(owner) || !UploadKey.IsValidPart(id) || string.IsNullOrEmpty(store)
            || !DateTimeOffset.TryParse(query["created"], CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out DateTimeOffset created))
        {
            await DashboardEndpoints.WriteProblemAsync(context, StatusCodes.Status400BadRequest, "The link is invalid. Reload the page and try again.");
            return;
        }

        var key = new UploadKey(owner, id);
        try
        {
            Stream? content = await manager.OpenReadAsync(key, new UploadActionCondition { Store = store, Created = created }, context.RequestAborted);
            await using (content)
            {
                if (content is null || await manager.GetAsync(key, store, context.RequestAborted) is not { } upload || upload.Created != created)
                {
                    await DashboardEndpoints.WriteProblemAsync(
                        context, StatusCodes.Status404NotFound, "The upload does not exist, misses bytes, or its content was moved out of the store.");
                    return;
                }

                // The store does not change the content once all bytes are stored.
                var tag = new EntityTagHeaderValue(string.Create(CultureInfo.InvariantCulture, $"\"{created.UtcTicks:x}-{content.Length:x}\""));
                await Results.Stream(
                    content, "application/octet-stream", FileNameSanitizer.Sanitize(upload.FileName), entityTag: tag, enableRangeProcessing: true).ExecuteAsync(context);
            }
        }
        catch (UploadStoreException) when (!context.Response.HasStarted)
        {
            // A first read that fails leaves the headers of the content.
            context.Response.Clear();
            DashboardHeaders.SetForContent(context.Response);
            await DashboardEndpoints.WriteProblemAsync(context, StatusCodes.Status503ServiceUnavailable, DashboardEndpoints.StoreFailed);
        }
    }
}
