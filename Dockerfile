FROM node:20-slim AS build
WORKDIR /app
COPY . .
RUN npm ci && npm prune --omit=dev

FROM node:20-slim
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN install -d -o node -g node /data
USER node
ENV PARTYLINE_DATA_DIR=/data PARTYLINE_HOST=0.0.0.0
VOLUME /data
EXPOSE 7070 7071 7080
CMD ["node", "dist/server/main.js"]
