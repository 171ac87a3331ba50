using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Requests;

namespace ResumableUploads.Hosting.Forms;

/// <summary>A ready-made upload path, whose uploads a form can refer to.</summary>
/// <param name="GetPattern">Gets the path, or the route pattern. <see langword="null"/> if the app does not route to it.</param>
/// <param name="IsRoute">Whether it is a route pattern.</param>
/// <param name="Services">The services of the endpoint.</param>
/// <param name="Store">The store of the endpoint.</param>
internal sealed record FormEndpoint(Func<string?> GetPattern, bool IsRoute, UploadRequestServices Services, IUploadStore Store)
{
    /// <summary>Gets the path, or <see langword="null"/> if it has parameters.</summary>
    public string? Path => GetPattern() is { } pattern && !(IsRoute && pattern.Contains('{', StringComparison.Ordinal)) ? '/' + pattern.Trim('/') : null;

    /// <summary>Returns whether uploads are created at a path, which includes the path base.</summary>
    public bool Matches(string path, HttpRequest request)
    {
        if (GetPattern() is not { } pattern)
        {
            return false;
        }

        // The middleware may run below a path base that the request of the form does not have.
        return IsRoute
            ? new PathString(path).StartsWithSegments(request.PathBase, out PathString rest)
                && new TemplateMatcher(TemplateParser.Parse(pattern.TrimStart('/')), []).TryMatch(rest, [])
            : path.EndsWith('/' + pattern.Trim('/'), StringComparison.OrdinalIgnoreCase);
    }
}
