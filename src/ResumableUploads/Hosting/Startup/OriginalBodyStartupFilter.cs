using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using ResumableUploads.Hosting.Requests.Bodies;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// Records the body of each request before the middleware of the app runs, so that a chunk which was decoded on its way can be recognized.
/// </summary>
internal sealed class OriginalBodyStartupFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(static pipeline => context =>
        {
            OriginalBodyFeature.Record(context);
            return pipeline(context);
        });
        next(app);
    };
}
