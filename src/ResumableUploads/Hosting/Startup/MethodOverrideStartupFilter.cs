using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// Makes the method that a client of tus, or one like it, names in <c>X-HTTP-Method-Override</c> the request's own, for clients whose way lets no PATCH or
/// DELETE through (T-8). In front of everything, so that routing, authorization and CORS decide about the method that is meant.
/// </summary>
internal sealed class MethodOverrideStartupFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(static pipeline => context =>
        {
            OverrideMethod(context.Request);
            return pipeline(context);
        });
        next(app);
    };

    private static void OverrideMethod(HttpRequest request)
    {
        if ((request.Headers.ContainsKey(TusHeaders.Resumable) || request.Headers.ContainsKey(IetfHeaders.Version))
            && request.Headers.TryGetValue(TusHeaders.MethodOverride, out StringValues method) && method.Count > 0)
        {
            // Two of them are no method that anybody has.
            request.Method = method.ToString().ToUpperInvariant();
        }
    }
}
