using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OutputCaching;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Hosting.ProgressEvents;
using ResumableUploads.Hosting.Requests;

namespace ResumableUploads.Hosting.Caching;

/// <summary>
/// Excludes upload requests from output caching, which ignores <c>Cache-Control: no-store</c> and identifies responses by their URL, so that it would send
/// the status of one client's upload to another client.
/// </summary>
/// <param name="appliesTo">Returns whether a request is excluded.</param>
internal sealed class UploadOutputCachePolicy(Func<HttpContext, bool> appliesTo) : IOutputCachePolicy
{
    private const string VaryByName = "ResumableUploads";

    /// <summary>Gets the policy of endpoints that handle only upload requests.</summary>
    public static UploadOutputCachePolicy ForEndpoints { get; } = new(static _ => true);

    /// <summary>
    /// Gets the policy of requests that their headers or query identify, and of runs of an endpoint with a complete upload. It applies wherever the app caches,
    /// also before routing has selected an endpoint.
    /// </summary>
    public static UploadOutputCachePolicy ForProtocolRequests { get; } = new(static context =>
        UploadRequestClassifier.Classify(context.Request) != UploadRequestKind.None
        || context.Features.Get<IResumableUploadFeature>() is not null
        || ProgressEventResponder.HasFileIdInQuery(context.Request));

    /// <summary>Creates the policy of requests to uploads below the path of a middleware, which need no headers.</summary>
    public static UploadOutputCachePolicy ForUploadsBelow(string uploadPath)
    {
        string parent = uploadPath.TrimEnd('/');

        // The middleware may be in a branch for a path prefix.
        return new(context => context.Request.Path.Value?.TrimEnd('/') is { } path && path.LastIndexOf('/') is > 0 and var separator
            && UploadUrl.IsId(path.AsSpan(separator + 1)) && path.AsSpan(0, separator).EndsWith(parent, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Prevents a response from being stored by a cache for which the other policies of the app have enabled caching.</summary>
    public static void DisableStorage(HttpContext context)
    {
        if (context.Features.Get<IOutputCacheFeature>() is { } cache)
        {
            cache.Context.AllowCacheStorage = false;
        }
    }

    /// <summary>Makes this the only policy of an endpoint.</summary>
    public static void ReplaceIn(IList<object> metadata)
    {
        foreach (object item in metadata.Where(IsPolicy).ToArray())
        {
            metadata.Remove(item);
        }

        metadata.Add(ForEndpoints);
    }

    /// <summary>Returns whether endpoint metadata configures output caching.</summary>
    public static bool IsPolicy(object metadata) => metadata is IOutputCachePolicy or OutputCacheAttribute;

    public ValueTask CacheRequestAsync(OutputCacheContext context, CancellationToken cancellation)
    {
        if (appliesTo(context.HttpContext))
        {
            context.EnableOutputCaching = false;

            // The policy of an endpoint, such as a fallback endpoint behind the upload middleware, runs later and can enable caching again. With a key of its
            // own, the request neither finds a response of another one nor waits for it.
            context.CacheVaryByRules.VaryByValues[VaryByName] = Guid.NewGuid().ToString();
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask ServeFromCacheAsync(OutputCacheContext context, CancellationToken cancellation) => ValueTask.CompletedTask;

    public ValueTask ServeResponseAsync(OutputCacheContext context, CancellationToken cancellation)
    {
        if (appliesTo(context.HttpContext))
        {
            context.AllowCacheStorage = false;
        }

        return ValueTask.CompletedTask;
    }
}
