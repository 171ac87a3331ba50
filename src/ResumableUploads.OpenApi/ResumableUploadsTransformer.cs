using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Forms;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Hosting.Startup;

namespace ResumableUploads.OpenApi;

/// <summary>Describes the resumable endpoints of a document, and the ready-made endpoints of the application.</summary>
internal sealed class ResumableUploadsTransformer : IOpenApiOperationTransformer, IOpenApiDocumentTransformer
{
    /// <summary>The key by which the document transformer finds the resumable operations. It is not written to the document.</summary>
    private const string MarkKey = "resumable-uploads";

    /// <summary>Adds the protocols to an operation of the application, if its endpoint is resumable.</summary>
    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        if (context.Description.ActionDescriptor.EndpointMetadata.OfType<IResumableEndpointMetadata>().Any()
            && UploadOperations.ContentMethods.Any(method => method.Method.Equals(context.Description.HttpMethod, StringComparison.OrdinalIgnoreCase)))
        {
            UploadOperations.Content.AddTo(operation);
            operation.Metadata ??= new Dictionary<string, object>();
            operation.Metadata[MarkKey] = true;
        }

        return Task.CompletedTask;
    }

    /// <summary>Adds the methods of the protocols to the paths of resumable endpoints, and adds the ready-made endpoints.</summary>
    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Paths ??= [];
        foreach (IOpenApiPathItem path in document.Paths.Values.ToArray())
        {
            if (path is OpenApiPathItem item && item.Operations?.Values.FirstOrDefault(static operation => operation.Metadata?.ContainsKey(MarkKey) == true) is { } appOperation)
            {
                AddProtocolMethods(item, appOperation);
            }
        }

        // Endpoints add their patterns when they are built.
        _ = context.ApplicationServices.GetService<EndpointDataSource>()?.Endpoints;
        foreach (FormEndpoint endpoint in UploadDispatcherFactory.FindSharedServices(context.ApplicationServices)?.FormEndpoints ?? [])
        {
            if (endpoint.GetPattern() is { } pattern)
            {
                AddReadyMade(document, endpoint, pattern);
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>Adds the methods of the protocols to the path of an endpoint of the application, which has the URLs of uploads in its query.</summary>
    private static void AddProtocolMethods(OpenApiPathItem item, OpenApiOperation appOperation)
    {
        IOpenApiParameter[] routeParameters = [.. appOperation.Parameters?.Where(static parameter => parameter.In == ParameterLocation.Path) ?? []];
        foreach ((HttpMethod method, UploadOperation operation) in UploadOperations.Upload)
        {
            if (!item.Operations!.TryGetValue(method, out OpenApiOperation? existing))
            {
                item.AddOperation(method, existing = operation.Create());
                foreach (IOpenApiParameter parameter in routeParameters)
                {
                    existing.Parameters!.Add(parameter);
                }
            }
            else if (existing.Metadata?.ContainsKey(MarkKey) == true)
            {
                operation.AddTo(existing);
            }
            else
            {
                // The operation of another endpoint at the same URL, which gets only the requests without the headers of a protocol.
                continue;
            }

            existing.Parameters!.Add(new OpenApiParameter
            {
                Name = UploadUrl.QueryParameterName,
                In = ParameterLocation.Query,
                Description = "tus and IETF draft: the upload, as in the Location of its creation.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
        }
    }

    private static void AddReadyMade(OpenApiDocument document, FormEndpoint endpoint, string pattern)
    {
        (string path, OpenApiParameter[] parameters) = endpoint.IsRoute ? GetTemplate(pattern) : ('/' + pattern.Trim('/'), []);
        OpenApiPathItem creation = AddPath(document, path, UploadOperations.Management, parameters);
        foreach (HttpMethod method in UploadOperations.ContentMethods)
        {
            Add(creation, method, UploadOperations.Content, parameters);
        }

        OpenApiParameter id = CreatePathParameter(UploadUrl.QueryParameterName);
        id.Description = "The id of the upload, as in the Location of its creation.";
        AddPath(document, $"{path.TrimEnd('/')}/{{{UploadUrl.QueryParameterName}}}", UploadOperations.Upload, [.. parameters, id]);
        if (!endpoint.IsRoute && endpoint.Services.Options.StatusPath is { } statusPath)
        {
            AddPath(document, '/' + statusPath.Trim('/'), UploadOperations.StatusPath, []);
        }
    }

    /// <summary>Gets the path of a route pattern as in OpenAPI, without constraints and default values.</summary>
    private static (string Path, OpenApiParameter[] Parameters) GetTemplate(string pattern)
    {
        RoutePattern parsed = RoutePatternFactory.Parse(pattern);
        IEnumerable<string> segments = parsed.PathSegments.Select(static segment => string.Concat(segment.Parts.Select(static part => part switch
        {
            RoutePatternParameterPart parameter => $"{{{parameter.Name}}}",
            RoutePatternLiteralPart literal => literal.Content,
            RoutePatternSeparatorPart separator => separator.Content,
            _ => "",
        })));
        return ('/' + string.Join('/', segments), [.. parsed.Parameters.Select(static parameter => CreatePathParameter(parameter.Name))]);
    }

    private static OpenApiParameter CreatePathParameter(string name) =>
        new() { Name = name, In = ParameterLocation.Path, Required = true, Schema = new OpenApiSchema { Type = JsonSchemaType.String } };

    private static OpenApiPathItem AddPath(OpenApiDocument document, string path, Dictionary<HttpMethod, UploadOperation> operations, OpenApiParameter[] parameters)
    {
        if (!document.Paths.TryGetValue(path, out IOpenApiPathItem? existing) || existing is not OpenApiPathItem item)
        {
            document.Paths[path] = item = new OpenApiPathItem();
        }

        foreach ((HttpMethod method, UploadOperation operation) in operations)
        {
            Add(item, method, operation, parameters);
        }

        return item;
    }

    /// <summary>Adds an operation, unless the application has one.</summary>
    private static void Add(OpenApiPathItem item, HttpMethod method, UploadOperation operation, OpenApiParameter[] parameters)
    {
        if (item.Operations?.ContainsKey(method) == true)
        {
            return;
        }

        OpenApiOperation created = operation.Create();
        foreach (OpenApiParameter parameter in parameters)
        {
            created.Parameters!.Add(parameter);
        }

        item.AddOperation(method, created);
    }
}
