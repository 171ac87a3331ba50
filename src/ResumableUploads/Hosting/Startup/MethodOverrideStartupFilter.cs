using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// Replaces the method of an upload request by that in <c>X-HTTP-Method-Override</c> (tus 1.0.0, "X-HTTP-Method-Override"), for clients behind a proxy
/// that blocks PATCH or DELETE. Runs before all other middleware, so that routing, authorization and CORS use the new method.
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
            // Several values give a method that no endpoint accepts.
            request.Method = method.ToString().ToUpperInvariant();
        }
    }
}
